import type { AnyBulkWriteOperation, Collection } from 'mongodb'
import type { HolderDocument, MessageDocument } from './documents.js'
import { CLAIMED_RANGE, claimedName, holderOf, tagOf } from './names.js'

/** Filter of documents with `seen` and `leaseMs` whose lease is over, on the server's clock. */
export const LEASE_OVER: { readonly $expr: Record<string, unknown> } = {
  $expr: { $lte: [{ $add: ['$seen', '$leaseMs'] }, '$$NOW'] },
}

/** Who claims, until when, and what becomes of the claims of those who are gone. */
export class Holders {
  readonly #holders: Collection<HolderDocument>
  readonly #messages: Collection<MessageDocument>

  constructor({
    holders,
    messages,
  }: {
    readonly holders: Collection<HolderDocument>
    readonly messages: Collection<MessageDocument>
  }) {
    this.#holders = holders
    this.#messages = messages
  }

  /** Enter a holder, before its first claim. */
  async register(holder: string, leaseMs: number): Promise<void> {
    await this.#holders.updateOne(
      { _id: holder },
      { $set: { leaseMs }, $currentDate: { seen: true } },
      { upsert: true },
    )
  }

  /** Renew all claims of a holder; `false` when they are lost. */
  async renew(holder: string, leaseMs: number): Promise<boolean> {
    const { matchedCount } = await this.#holders.updateOne(
      { _id: holder, ended: { $exists: false } },
      { $set: { leaseMs }, $currentDate: { seen: true } },
    )
    return matchedCount === 1
  }

  /** Milliseconds until the next lease runs out, negative when one has; `Infinity` without holders. */
  async nextMs(): Promise<number> {
    const [next] = await this.#holders
      .aggregate<{ leftMs: unknown }>([
        {
          $project: { leftMs: { $subtract: [{ $add: ['$seen', '$leaseMs'] }, '$$NOW'] } },
        },
        { $sort: { leftMs: 1 } },
        { $limit: 1 },
      ])
      .toArray()
    return next === undefined ? Number.POSITIVE_INFINITY : Number(next.leftMs)
  }

  /** Give back, as spent, what holders had whose lease ran out; resolves with how many messages that were. */
  async reap(): Promise<number> {
    const over = await this.#holders.find(LEASE_OVER, { projection: { _id: 1 } }).toArray()
    let moved = 0
    for (const { _id } of over) {
      // It may have been renewed in the meantime. Once it is marked, nobody renews it, and all may help.
      const { matchedCount } = await this.#holders.updateOne(
        { _id, ...LEASE_OVER },
        { $set: { ended: true } },
      )
      if (matchedCount === 0) continue
      moved += await this.release(_id, 1)
      await this.#holders.deleteOne({ _id, ended: true })
    }
    return moved
  }

  /** Give back what was claimed under the name of a holder that is not entered, as by a claim that came too late. */
  async releaseOrphans(): Promise<number> {
    const { from, to } = CLAIMED_RANGE
    const names = await this.#messages.distinct('queue', { queue: { $gte: from, $lt: to } })
    if (names.length === 0) return 0
    // Read after the names: a holder is entered before it claims.
    const ids = names.map((name) => holderOf(name))
    const known = await this.#holders.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray()
    const living = new Set(known.map(({ _id }) => _id))
    let moved = 0
    for (const id of ids) if (!living.has(id)) moved += await this.release(id, 1)
    return moved
  }

  /** Give back everything that a holder has; `spent` is added to the count of its deliveries. */
  async release(holder: string, spent: 0 | 1): Promise<number> {
    const claimed = claimedName(holder)
    const queues: readonly unknown[] = await this.#messages.distinct('lovage.queue', { queue: claimed })
    let moved = 0
    for (const queue of queues) {
      if (typeof queue !== 'string') continue
      const { modifiedCount } = await this.#messages.updateMany(
        { queue: claimed, 'lovage.queue': queue },
        { $set: { queue }, $unset: { 'lovage.claim': true }, $inc: { 'lovage.spent': spent } },
      )
      moved += modifiedCount
    }
    return moved
  }

  /** Give back, unspent, what a holder has beyond the claims of these tags; resolves with how many messages that were. */
  async releaseUnknown(holder: string, tags: ReadonlySet<string>): Promise<number> {
    const claimed = claimedName(holder)
    const projection = { 'lovage.claim': 1, 'lovage.queue': 1 }
    const operations: AnyBulkWriteOperation<MessageDocument>[] = []
    for await (const { _id, lovage = {} } of this.#messages.find({ queue: claimed }, { projection })) {
      const { queue, claim = '' } = lovage
      if (typeof queue !== 'string' || tags.has(tagOf(_id, claim))) continue
      const update = { $set: { queue }, $unset: { 'lovage.claim': true } } as const
      operations.push({ updateOne: { filter: { _id, queue: claimed, 'lovage.claim': claim }, update } })
    }
    if (operations.length === 0) return 0
    return (await this.#messages.bulkWrite(operations, { ordered: false })).modifiedCount
  }

  /** Forget a holder that has given everything back. */
  async remove(holder: string): Promise<void> {
    await this.#holders.deleteOne({ _id: holder })
  }
}
