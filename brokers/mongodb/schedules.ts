import type {
  Leadership,
  Occurrence,
  Outgoing,
  ScheduleStore,
  StoredEntry,
} from '../../src/broker/contract.js'
import { storedEntry } from '../../src/broker/stored-entry.js'
import { asBroker } from './failure.js'
import { LEASE_OVER } from './holders.js'
import { claimOccurrence } from './occurrences.js'
import type { MongoStore } from './store.js'

const LEADER = 'leader'

/** Entries of beat, their occurrences and the leader's lease, in a collection each. */
export class MongoSchedules implements ScheduleStore {
  readonly #connected: () => MongoStore
  #prepared: Promise<unknown> | undefined

  constructor(connected: () => MongoStore) {
    this.#connected = connected
  }

  claimOccurrence(occurrence: Occurrence, publish: readonly Outgoing[]): Promise<boolean> {
    return this.#do((store) => claimOccurrence(store, occurrence, publish))
  }

  lead(candidate: string, leaseMs: number): Promise<Leadership> {
    return this.#do(async ({ collections: { beat } }) => {
      const mine = { _id: LEADER, $or: [{ candidate }, LEASE_OVER] }
      const taken = await beat.findOneAndUpdate(
        mine,
        { $set: { candidate, leaseMs }, $currentDate: { seen: true } },
        { returnDocument: 'after' },
      )
      if (taken !== null) return { leads: true, nowMs: taken.seen.getTime(), revision: taken.revision ?? 0 }
      const [leader] = await beat
        .aggregate<{ revision?: number; now: Date }>([
          { $match: { _id: LEADER } },
          { $project: { revision: 1, now: '$$NOW' } },
        ])
        .toArray()
      if (leader !== undefined)
        return { leads: false, nowMs: leader.now.getTime(), revision: leader.revision ?? 0 }
      await beat.updateOne({ _id: LEADER }, { $setOnInsert: NOBODY }, { upsert: true })
      return this.lead(candidate, leaseMs)
    })
  }

  async resign(candidate: string): Promise<void> {
    await this.#do(({ collections: { beat } }) =>
      beat.updateOne({ _id: LEADER, candidate }, { $set: { leaseMs: 0 } }),
    )
  }

  saveEntry(name: string, data: Readonly<Record<string, unknown>>, replaces?: string): Promise<boolean> {
    return this.#do(async (store) => {
      const { beatEntries } = store.collections
      const change = { $set: { data: JSON.stringify(data) } }
      const isSaved =
        replaces === undefined
          ? (await beatEntries.updateOne({ _id: name }, { $setOnInsert: change.$set }, { upsert: true }))
              .upsertedCount === 1
          : (await beatEntries.updateOne({ _id: name, data: replaces }, change)).matchedCount === 1
      if (isSaved) await revise(store)
      return isSaved
    })
  }

  loadEntry(name: string): Promise<StoredEntry | undefined> {
    return this.#do(async ({ collections: { beatEntries } }) => {
      const entry = await beatEntries.findOne({ _id: name })
      return entry === null ? undefined : storedEntry(entry.data, entry.lastMs)
    })
  }

  loadEntries(): Promise<ReadonlyMap<string, StoredEntry>> {
    return this.#do(async ({ collections: { beatEntries } }) => {
      const entries = await beatEntries.find({}).sort({ _id: 1 }).toArray()
      return new Map(entries.map((entry) => [entry._id, storedEntry(entry.data, entry.lastMs)]))
    })
  }

  async removeEntry(name: string): Promise<void> {
    await this.#do(async (store) => {
      const { beatEntries, beatOccurrences } = store.collections
      await beatEntries.deleteOne({ _id: name })
      await beatOccurrences.deleteMany({ entry: name })
      await revise(store)
    })
  }

  #do<Result>(work: (store: MongoStore) => Promise<Result>): Promise<Result> {
    const store = this.#connected()
    return asBroker(async () => {
      await this.#prepare(store)
      return work(store)
    })
  }

  /** Here rather than at connect: most who connect have no schedules. */
  async #prepare({ collections: { beatOccurrences } }: MongoStore): Promise<void> {
    this.#prepared ??= beatOccurrences.createIndex({ entry: 1, atMs: 1 })
    try {
      await this.#prepared
    } catch (error) {
      this.#prepared = undefined
      throw error
    }
  }
}

const NOBODY = { candidate: '', leaseMs: 0, seen: new Date(0), revision: 0 }

/** After the change itself: whoever sees the new number sees the change. */
async function revise({ collections: { beat } }: MongoStore): Promise<void> {
  const { revision: _, ...others } = NOBODY
  await beat.updateOne({ _id: LEADER }, { $inc: { revision: 1 }, $setOnInsert: others }, { upsert: true })
}
