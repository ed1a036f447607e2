import {
  OCCURRENCES_KEPT_MS,
  type Leadership,
  type Occurrence,
  type Outgoing,
  type ScheduleStore,
  type StoredEntry,
} from '../../src/broker/contract.js'
import { storedEntry } from '../../src/broker/stored-entry.js'
import { isRecord } from '../../src/util/record.js'
import { asBroker } from '../../src/broker/store-failure.js'
import type { Keys } from './keys.js'
import type { RedisConnection } from './connection.js'
import { CLAIM_OCCURRENCE, LEAD, REMOVE_ENTRY, RESIGN, SAVE_ENTRY } from './lua/schedule.js'
import type { Publisher } from './publisher.js'
import { numberOf, numbersOf, textOf, textsOf } from './reply.js'
import { toScript } from './script.js'

/** What {@link RedisSchedules} works with. */
export interface SchedulesParts {
  readonly connection: RedisConnection
  readonly publisher: Publisher
}

const claimScript = toScript(CLAIM_OCCURRENCE)
const leadScript = toScript(LEAD)
const resignScript = toScript(RESIGN)
const saveScript = toScript(SAVE_ENTRY)
const removeScript = toScript(REMOVE_ENTRY)

/** Entries of beat and the leader in three hashes, and the occurrences of each entry in a sorted set. */
export class RedisSchedules implements ScheduleStore {
  readonly #keys: Keys
  readonly #open: () => SchedulesParts

  /** @param open - The connected parts; throws where there is no connection. */
  constructor(keys: Keys, open: () => SchedulesParts) {
    this.#keys = keys
    this.#open = open
  }

  async claimOccurrence(occurrence: Occurrence, publish: readonly Outgoing[]): Promise<boolean> {
    const { id, entry, scheduledAtMs } = occurrence
    const { connection, publisher } = this.#open()
    const { queues, due, beatEntries, beatLast, delayedPrefix } = this.#keys
    const keys = [queues, due, beatEntries, beatLast, this.#keys.beatOccurrences(entry)]
    let isClaimed = false
    await asBroker(() =>
      publisher.publishAll(publish, async (operations) => {
        const args = [delayedPrefix, entry, id, scheduledAtMs, OCCURRENCES_KEPT_MS, ...operations]
        const [claimed, ...refused] = numbersOf(await connection.run(claimScript, keys, args))
        isClaimed = claimed === 1
        return refused
      }),
    )
    return isClaimed
  }

  async lead(candidate: string, leaseMs: number): Promise<Leadership> {
    const { connection } = this.#open()
    const reply = await asBroker(() => connection.run(leadScript, [this.#keys.beat], [candidate, leaseMs]))
    const [leads, nowMs = 0, revision = 0] = numbersOf(reply)
    return { leads: leads === 1, nowMs, revision }
  }

  async resign(candidate: string): Promise<void> {
    const { connection } = this.#open()
    await asBroker(() => connection.run(resignScript, [this.#keys.beat], [candidate]))
  }

  async saveEntry(
    name: string,
    data: Readonly<Record<string, unknown>>,
    replaces?: string,
  ): Promise<boolean> {
    const { connection } = this.#open()
    const { beat, beatEntries } = this.#keys
    const args = [name, JSON.stringify(data), ...(replaces === undefined ? [] : [replaces])]
    return numberOf(await asBroker(() => connection.run(saveScript, [beatEntries, beat], args))) === 1
  }

  async loadEntry(name: string): Promise<StoredEntry | undefined> {
    const { connection } = this.#open()
    const { beatEntries, beatLast } = this.#keys
    const [data, lastMs] = await asBroker(() =>
      Promise.all([connection.call('HGET', beatEntries, name), connection.call('HGET', beatLast, name)]),
    )
    if (data === null) return undefined
    return storedEntry(textOf(data), lastMs === null ? undefined : numberOf(lastMs))
  }

  async loadEntries(): Promise<ReadonlyMap<string, StoredEntry>> {
    const { connection } = this.#open()
    const { beatEntries, beatLast } = this.#keys
    const [entries, last] = await asBroker(async () =>
      Promise.all([connection.call('HGETALL', beatEntries), connection.call('HGETALL', beatLast)]),
    )
    const lastMs = fieldsOf(last)
    return new Map(
      [...fieldsOf(entries)]
        .sort()
        .map(([name, data]) => [name, storedEntry(data, toNumber(lastMs.get(name)))]),
    )
  }

  async removeEntry(name: string): Promise<void> {
    const { connection } = this.#open()
    const { beat, beatEntries, beatLast } = this.#keys
    const keys = [beatEntries, beatLast, this.#keys.beatOccurrences(name), beat]
    await asBroker(() => connection.run(removeScript, keys, [name]))
  }
}

/** A hash as a map, whichever form the connection gives it. */
function fieldsOf(reply: unknown): ReadonlyMap<string, string> {
  if (isRecord(reply)) return new Map(Object.entries(reply).map(([name, value]) => [name, String(value)]))
  const texts = textsOf(reply)
  return new Map(texts.flatMap((name, at) => (at % 2 === 0 ? [[name, texts[at + 1] ?? ''] as const] : [])))
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
