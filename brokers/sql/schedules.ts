import { unroutable } from '../../src/broker/routing.js'
import {
  OCCURRENCES_KEPT_MS,
  type Leadership,
  type Occurrence,
  type Outgoing,
  type ScheduleStore,
  type StoredEntry,
} from '../../src/broker/contract.js'
import { storedEntry } from '../../src/broker/stored-entry.js'
import { insertOutgoing } from './publish.js'
import type { NamedRow, SqlSession } from './sql-session.js'
import type { SqlStore } from './store.js'

/** Entries of beat, their occurrences and the leader's lease, in three tables. */
export class SqlSchedules implements ScheduleStore {
  readonly #use: <Result>(work: (store: SqlStore) => Promise<Result>) => Promise<Result>

  /** @param use - Works on the open store, with errors of the contract. */
  constructor(use: <Result>(work: (store: SqlStore) => Promise<Result>) => Promise<Result>) {
    this.#use = use
  }

  claimOccurrence(occurrence: Occurrence, publish: readonly Outgoing[]): Promise<boolean> {
    return this.#use(async (store) => {
      const claimed = await store.database.transaction(async (session) => {
        if (!(await insertOccurrence(session, occurrence))) return false
        const lost = await insertOutgoing(session, store, publish)
        if (lost.length > 0) throw unroutable(publish, lost)
        return true
      })
      if (claimed) store.wake.signal()
      return claimed
    })
  }

  lead(candidate: string, leaseMs: number): Promise<Leadership> {
    return this.#use(({ database, dialect }) =>
      database.transaction(
        async (session) => {
          const [row] = await session.rows((knex, names) => knex(names.beat).select('*').forUpdate())
          const nowMs = await dialect.now(session)
          const leads = row?.['candidate'] === candidate || Number(row?.['lease_until_ms']) <= nowMs
          const change = { candidate, lease_until_ms: nowMs + leaseMs }
          if (leads) await session.change((knex, names) => knex(names.beat).update(change))
          return { leads, nowMs, revision: Number(row?.['revision']) }
        },
        { durable: false },
      ),
    )
  }

  async resign(candidate: string): Promise<void> {
    await this.#change((session) =>
      session.change((knex, names) => knex(names.beat).where({ candidate }).update({ lease_until_ms: 0 })),
    )
  }

  saveEntry(name: string, data: Readonly<Record<string, unknown>>, replaces?: string): Promise<boolean> {
    return this.#use(({ database }) =>
      database.transaction(async (session) => {
        // Locks the one row of `beat`, so that saves take turns: a missing entry has no row to lock.
        await revise(session)
        const known = await entryRow(session, name)
        if (known?.version !== replaces) return false
        const row = { name, data: JSON.stringify(data) }
        await session.change((knex, names) =>
          knex(names.beatEntry).insert(row).onConflict('name').merge(['data']),
        )
        return true
      }),
    )
  }

  loadEntry(name: string): Promise<StoredEntry | undefined> {
    return this.#use(({ database }) => database.read((session) => entryRow(session, name)))
  }

  loadEntries(): Promise<ReadonlyMap<string, StoredEntry>> {
    return this.#use(({ database }) =>
      database.read(async (session) => {
        const rows = await session.rows((knex, names) => knex(names.beatEntry).select('*').orderBy('name'))
        return new Map(rows.map((row) => [String(row['name']), entryOf(row)]))
      }),
    )
  }

  async removeEntry(name: string): Promise<void> {
    await this.#change(async (session) => {
      // The entry first: a claim that holds its row writes an occurrence before it lets go.
      await session.change((knex, names) => knex(names.beatEntry).where({ name }).delete())
      await session.change((knex, names) => knex(names.beatOccurrence).where({ entry: name }).delete())
      await revise(session)
    })
  }

  async #change(work: (session: SqlSession) => Promise<unknown>): Promise<void> {
    await this.#use(({ database }) => database.transaction(work))
  }
}

/** The lock on the entry's row makes claims of one entry take turns. */
async function insertOccurrence(session: SqlSession, occurrence: Occurrence): Promise<boolean> {
  const { id, entry: name, scheduledAtMs } = occurrence
  const [row] = await session.rows((knex, names) =>
    knex(names.beatEntry).where({ name }).select('*').forUpdate(),
  )
  if (row === undefined) return false
  const lastMs = row['last_ms'] === null ? undefined : Number(row['last_ms'])
  if (lastMs !== undefined && scheduledAtMs < lastMs - OCCURRENCES_KEPT_MS) return false
  if (lastMs !== undefined && scheduledAtMs <= lastMs) {
    const known = await session.rows((knex, names) => knex(names.beatOccurrence).where({ id }).select('id'))
    if (known.length > 0) return false
  } else {
    await session.change((knex, names) =>
      knex(names.beatEntry).where({ name }).update({ last_ms: scheduledAtMs }),
    )
    await session.change((knex, names) =>
      knex(names.beatOccurrence)
        .where({ entry: name })
        .where('scheduled_ms', '<', scheduledAtMs - OCCURRENCES_KEPT_MS)
        .delete(),
    )
  }
  const added = { id, entry: name, scheduled_ms: scheduledAtMs }
  await session.change((knex, names) => knex(names.beatOccurrence).insert(added))
  return true
}

async function revise(session: SqlSession): Promise<void> {
  await session.change((knex, names) => knex(names.beat).increment('revision', 1))
}

async function entryRow(session: SqlSession, name: string): Promise<StoredEntry | undefined> {
  const [row] = await session.rows((knex, names) => knex(names.beatEntry).where({ name }).select('*'))
  return row === undefined ? undefined : entryOf(row)
}

function entryOf({ data, last_ms: lastMs }: NamedRow): StoredEntry {
  return storedEntry(String(data), lastMs === null || lastMs === undefined ? undefined : Number(lastMs))
}
