import type { Collection, ObjectId } from 'mongodb'
import type { MessageDocument } from './documents.js'
import { DELAYED_RANGE, delayedName } from './names.js'

const BATCH = 1_000
/** What waits, and is marked as it should be: a mark that is no date would fail the comparison for all. */
const WAITS = {
  'lovage.dueAt': { $gte: new Date(0) },
  queue: { $gte: DELAYED_RANGE.from, $lt: DELAYED_RANGE.to },
}

/**
 * Messages that wait for their time, in `messages` itself under a private queue name.
 *
 * So a message becomes ready by one update of one document, which no crash can do by halves. Times are compared by the
 * server, on its clock.
 */
export class DelayedMessages {
  readonly #messages: Collection<MessageDocument>

  constructor(messages: Collection<MessageDocument>) {
    this.#messages = messages
  }

  /** Milliseconds until the next message is due, negative when one is; `Infinity` when none waits. */
  async nextMs(): Promise<number> {
    const [next] = await this.#messages
      .aggregate<{ leftMs: unknown }>([
        { $match: WAITS },
        { $sort: { 'lovage.dueAt': 1 } },
        { $limit: 1 },
        { $project: { leftMs: { $subtract: ['$lovage.dueAt', '$$NOW'] } } },
      ])
      .toArray()
    return next === undefined ? Number.POSITIVE_INFINITY : Number(next.leftMs)
  }

  /** Let what is due enter its queue; resolves with how many there were. */
  async promote(): Promise<number> {
    const due = await this.#messages
      .find(
        { ...WAITS, $expr: { $lte: ['$lovage.dueAt', '$$NOW'] } },
        { projection: { 'lovage.queue': 1 }, limit: BATCH },
      )
      .toArray()
    const byQueue = new Map<string, ObjectId[]>()
    for (const { _id, lovage } of due) {
      const queue = lovage?.queue ?? ''
      byQueue.set(queue, [...(byQueue.get(queue) ?? []), _id])
    }
    let moved = 0
    for (const [queue, ids] of byQueue) {
      const { modifiedCount } = await this.#messages.updateMany(
        { _id: { $in: ids }, queue: delayedName(queue) },
        { $set: { queue }, $unset: { 'lovage.dueAt': true } },
      )
      moved += modifiedCount
    }
    return moved
  }

  /** Delete what nobody has claimed and has expired, where the server does not do it by itself. */
  async dropExpired(): Promise<void> {
    await this.#messages.deleteMany({
      expire_at: { $gte: new Date(0) },
      $expr: { $lte: ['$expire_at', '$$NOW'] },
    })
  }
}
