import { RedisFailure } from './failure.js'
import type { Keys } from './keys.js'
import type { Argument, RedisConnection } from './connection.js'
import { CLAIM } from './lua/claim.js'
import { listOf, numberOf, pairs, textOf, textsOf } from './reply.js'
import { toScript } from './script.js'

/** A message that was claimed. */
export interface Claimed {
  readonly tag: string
  readonly queue: string
  readonly envelope: string
}

/** What one claim brought. */
export interface Found {
  readonly claimed: readonly Claimed[]
  /** In how many milliseconds to look again, though nobody tells of a change. */
  readonly nextMs: number
  /** Holders whose lease is over. */
  readonly expired: readonly string[]
}

/** A list that could not be read. */
interface UnreadList {
  readonly queue: string
  readonly message: string
}

/** Lists whose changes are notified: `others` are all but the first, which is waited for in another way. */
export type NotifyLists = 'none' | 'all' | 'others'

/** What a claimer works with. */
export interface ClaimerParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly queues: readonly string[]
  readonly holder: string
  readonly leaseMs: number
  readonly order: QueueOrder
}

/**
 * Which queue is served first: another one each time, or always the first as given or by name.
 *
 * @source kombu 5.7, `kombu/utils/scheduling.py`.
 */
export type QueueOrder = 'round_robin' | 'priority' | 'sorted'

/** Start of the tags of all of Lovage's claims, by which they are distinguished from those of Celery's workers. */
export const TAG_PREFIX = 'lovage-'

const SIGN_OF_LIFE_MS = 10_000
const claimScript = toScript(CLAIM)

/** Claims from the lists of some queues, one priority step after the other. */
export class Claimer {
  readonly #parts: ClaimerParts
  readonly #tagPrefix: string
  /** The keys in which a message, or the time of one, may appear. */
  readonly #tracked: Readonly<Record<Exclude<NotifyLists, 'none'>, readonly string[]>>
  readonly #scriptKeys: readonly string[]
  /** Name and name as JSON of each queue, twice in a row so that every rotation is a slice. */
  readonly #names: readonly string[]
  /** Queues of which a warning was given. */
  readonly #passedOver = new Set<string>()
  #turn = 0
  #nextTag = 1
  #lifeShownMs = Number.NEGATIVE_INFINITY

  constructor(parts: ClaimerParts) {
    const { keys, holder, order } = parts
    const queues = order === 'sorted' ? [...parts.queues].sort() : parts.queues
    this.#parts = { ...parts, queues }
    this.#tagPrefix = `${holder}.`
    this.#scriptKeys = [
      keys.unacked,
      keys.unackedIndex,
      keys.claims(holder),
      keys.holders,
      keys.due,
      keys.alive,
    ]
    const [first = '', ...others] = queues.flatMap((queue) => keys.lists(queue))
    this.#tracked = { all: [keys.due, first, ...others], others: [keys.due, ...others] }
    const names = queues.flatMap((queue) => [queue, JSON.stringify(queue)])
    this.#names = [...names, ...names]
  }

  /** Claim up to `max` messages. @param notify - The lists whose changes are notified when there is nothing. */
  async claim(max: number, notify: NotifyLists): Promise<Found> {
    const { connection, queues, order } = this.#parts
    const turn = this.#turn
    if (order === 'round_robin') this.#turn = (turn + 1) % queues.length
    const firstTag = this.#takeTags(max)
    const args = this.#arguments(max, firstTag, turn)
    // What comes after it is notified, what came before is claimed.
    const reply =
      notify === 'none'
        ? await connection.runAtOnce(claimScript, this.#scriptKeys, args)
        : await connection.runTracked(claimScript, this.#scriptKeys, args, this.#tracked[notify])
    const [now, again, expired, found, errors] = listOf(reply)
    if (Number(now) === 0) throw new RedisFailure('unavailable', 'every claim was lost to its lease')
    if (listOf(errors).length > 0)
      this.#passOver(this.#unread(listOf(errors), turn), listOf(found).length > 0)
    return {
      claimed: this.#claimed(listOf(found), firstTag, turn),
      nextMs: Math.max(0, numberOf(again) - numberOf(now)),
      expired: textsOf(expired),
    }
  }

  /** The queue whose first list is the first of all. */
  get firstQueue(): string {
    return this.#parts.queues[0] ?? ''
  }

  /** The tag of a message that is claimed in another way. */
  nextTag(): string {
    return this.#tagPrefix + String(this.#takeTags(1))
  }

  #takeTags(count: number): number {
    const first = this.#nextTag
    this.#nextTag += count
    return first
  }

  #arguments(max: number, firstTag: number, turn: number): Argument[] {
    const { keys, holder, leaseMs, queues, order } = this.#parts
    const { prefix, separator, steps } = keys.naming
    return [
      max,
      this.#tagPrefix,
      firstTag,
      leaseMs,
      holder,
      this.#showsLife() ? '1' : '0',
      prefix,
      keys.delayedPrefix,
      separator,
      steps.length,
      ...steps,
      order === 'round_robin' ? '1' : '0',
      ...this.#names.slice(2 * turn, 2 * (turn + queues.length)),
    ]
  }

  #showsLife(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#lifeShownMs < SIGN_OF_LIFE_MS) return false
    this.#lifeShownMs = nowMs
    return true
  }

  #claimed(found: readonly unknown[], firstTag: number, turn: number): Claimed[] {
    const claimed: Claimed[] = []
    for (let at = 0; at < found.length; at += 2) {
      const number = Number(found[at])
      if (number < 0) continue
      claimed.push({
        tag: this.#tagPrefix + String(firstTag + at / 2),
        queue: this.#queueAt(number, turn),
        envelope: textOf(found[at + 1]),
      })
    }
    return claimed
  }

  #queueAt(number: number, turn: number): string {
    const { queues } = this.#parts
    return queues[(turn + number) % queues.length] ?? ''
  }

  #unread(errors: readonly unknown[], turn: number): UnreadList[] {
    return pairs(errors).map(([number, error]) => ({
      queue: this.#queueAt(Number(number), turn),
      message: textOf(error),
    }))
  }

  /** Lists that cannot be read must not keep the others. @throws `RedisFailure` when there are no others. */
  #passOver(lists: readonly UnreadList[], hasFound: boolean): void {
    const queues = new Set(lists.map(({ queue }) => queue))
    const [first] = lists
    if (!hasFound && queues.size === new Set(this.#parts.queues).size)
      throw new RedisFailure('refused', first?.message ?? '')
    for (const { queue, message } of lists) {
      if (this.#passedOver.has(queue)) continue
      this.#passedOver.add(queue)
      process.emitWarning(`queue "${queue}" cannot be read and is passed over: ${message}`, {
        type: 'LovageWarning',
        code: 'LOVAGE_QUEUE_PASSED_OVER',
      })
    }
  }
}
