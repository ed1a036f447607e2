import { randomUUID } from 'node:crypto'
import { MongoServerError } from 'mongodb'
import type { Delivery } from '../../src/broker/contract.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'
import type { MessageDocument } from './documents.js'
import { textOf, toDelivery } from './envelope.js'
import { isPassing } from './failure.js'
import { claimedName, tagOf } from './names.js'
import type { MongoStore } from './store.js'

/** Who claims, and from where. */
export interface ClaimerParts {
  readonly store: MongoStore
  readonly queues: readonly string[]
  readonly holder: string
  readonly leaseMs: number
}

/** A message that was claimed, and its envelope. */
export interface Claimed {
  readonly delivery: Delivery
  readonly payload: string
}

/** Up to this many are claimed one by one, in a round trip each; more in two for all. */
const ONE_BY_ONE = 2
/** How many are looked through when one of them cannot be claimed. */
const MENDED = 1_000
/** How many places whoever had rivals chooses between. */
const RIVALS = 4
/** The least time in which a lease is not looked after, as a part of it. */
const SAFE_PART = 0.5

/** Claims batches for one consumer. */
export class Claimer {
  readonly #parts: ClaimerParts
  #seenAtMs = performance.now()
  #turn = 0
  #hasRivals = false

  constructor(parts: ClaimerParts) {
    this.#parts = parts
  }

  /** Claim up to `max` messages of one queue, each time beginning with the next. */
  async claim(max: number): Promise<readonly Claimed[]> {
    const { queues } = this.#parts
    await this.#keepLease()
    const first = this.#turn % queues.length
    for (const queue of [...queues.slice(first), ...queues.slice(0, first)]) {
      this.#turn += 1
      const claimed = await this.#claimFrom(queue, max)
      if (claimed.length === 0) continue
      await this.#keepLease()
      return claimed
    }
    return []
  }

  /**
   * A claim made after the lease ran out would belong to nobody: others have looked by then what this holder has.
   *
   * @throws {@link BrokerConnectionError} when the lease ran out.
   */
  async #keepLease(): Promise<void> {
    const { store, holder, leaseMs } = this.#parts
    const nowMs = performance.now()
    if (nowMs - this.#seenAtMs < leaseMs * SAFE_PART) return
    if (!(await store.holders.renew(holder, leaseMs))) {
      throw new BrokerConnectionError('mongodb broker: the lease of this consumer ran out')
    }
    this.#seenAtMs = nowMs
  }

  async #claimFrom(queue: string, max: number): Promise<readonly Claimed[]> {
    if (max <= ONE_BY_ONE) return this.#claimEach(queue, max)
    const { messages } = this.#parts.store.collections
    const found = await this.#look(queue, max)
    if (found.length === 0) return []
    await this.#mend(queue, found)
    const claim = randomUUID()
    const ids = found.map(({ _id }) => _id)
    const { modifiedCount } = await messages.updateMany(
      { _id: { $in: ids }, queue },
      {
        $set: { queue: claimedName(this.#parts.holder), 'lovage.queue': queue, 'lovage.claim': claim },
        $inc: { 'lovage.handouts': 1 },
        $unset: { expire_at: true },
      },
    )
    this.#hasRivals = modifiedCount < found.length
    if (!this.#hasRivals) return found.map((document) => toClaimed(document, queue, claim))
    // Others were quicker with some: those that are left are told by the claim.
    if (modifiedCount === 0) return this.#claimEach(queue, 1)
    const own = await messages
      .find({ queue: claimedName(this.#parts.holder), 'lovage.claim': claim }, { projection: { _id: 1 } })
      .toArray()
    const ours = new Set(own.map(({ _id }) => _id.toHexString()))
    return found
      .filter(({ _id }) => ours.has(_id.toHexString()))
      .map((document) => toClaimed(document, queue, claim))
  }

  /** What may be claimed next. Whoever had rivals begins a few messages further on, not to meet them again. */
  async #look(queue: string, max: number): Promise<readonly MessageDocument[]> {
    const { messages } = this.#parts.store.collections
    const skip = this.#hasRivals ? Math.floor(Math.random() * RIVALS) * max : 0
    const found = await messages
      .find({ queue }, { sort: { priority: 1, _id: 1 }, limit: max, skip })
      .toArray()
    if (found.length > 0 || skip === 0) return found
    this.#hasRivals = false
    return this.#look(queue, max)
  }

  /** One after the other; the server finds a free one for each, however many ask. */
  async #claimEach(queue: string, max: number): Promise<readonly Claimed[]> {
    const claimed: Claimed[] = []
    while (claimed.length < max) {
      const one = await this.#claimOne(queue)
      if (one === undefined) break
      claimed.push(one)
    }
    return claimed
  }

  async #claimOne(queue: string, isMended = false): Promise<Claimed | undefined> {
    const { messages } = this.#parts.store.collections
    const claim = randomUUID()
    try {
      const document = await messages.findOneAndUpdate(
        { queue },
        {
          $set: { queue: claimedName(this.#parts.holder), 'lovage.queue': queue, 'lovage.claim': claim },
          $inc: { 'lovage.handouts': 1 },
          $unset: { expire_at: true },
        },
        { sort: { priority: 1, _id: 1 }, returnDocument: 'before' },
      )
      return document === null ? undefined : toClaimed(document, queue, claim)
    } catch (error) {
      if (isMended || !(error instanceof MongoServerError) || isPassing(error)) throw error
      await this.#mend(queue, await this.#look(queue, MENDED))
      return this.#claimOne(queue, true)
    }
  }

  /** Marks of others that the server cannot count up would fail each claim of the queue: they are taken off. */
  async #mend(queue: string, found: readonly MessageDocument[]): Promise<void> {
    const broken = found.filter(({ lovage }) => !areMarks(lovage)).map(({ _id }) => _id)
    if (broken.length === 0) return
    const { messages } = this.#parts.store.collections
    await messages.updateMany({ _id: { $in: broken }, queue }, { $unset: { lovage: true } })
  }
}

function areMarks(marks: unknown): boolean {
  if (marks === undefined) return true
  if (!isRecord(marks)) return false
  return [marks['handouts'], marks['spent']].every(
    (count) => count === undefined || typeof count === 'number',
  )
}

/** Never throws: what somebody else wrote must not keep back what was claimed with it. */
function toClaimed({ _id, payload, lovage }: MessageDocument, queue: string, claim: string): Claimed {
  const text = textOf(payload)
  const marks = isRecord(lovage) ? lovage : {}
  return { payload: text, delivery: toDelivery(text, marks, { queue, tag: tagOf(_id, claim) }) }
}
