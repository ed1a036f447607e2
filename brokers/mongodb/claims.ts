import { randomUUID } from 'node:crypto'
import { MongoServerError } from 'mongodb'
import type { ConsumeOptions, Delivery, Settlement } from '../../src/broker/contract.js'
import type { Changes, ClaimAttempt, ClaimRound, LeasedClaims } from '../../src/broker/leased-consumer.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'
import type { MessageDocument } from './documents.js'
import { textOf, toDelivery } from './envelope.js'
import { isPassing } from './failure.js'
import type { Maintenance } from './maintenance.js'
import { claimedName, tagOf } from './names.js'
import type { ResultWriter } from './result-writer.js'
import { acknowledge, applySettlements, giveBack, heldTags } from './settle.js'
import type { ClaimOwner } from './settle.js'
import type { MongoStore } from './store.js'

/** What claims are made from. */
export interface ClaimsParts {
  readonly store: MongoStore
  readonly maintenance: Maintenance
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  readonly holder: string
  /** The result backend, if one transaction reaches it and the queues. */
  readonly writer: ResultWriter | undefined
}

/** Up to this many are claimed one by one, in a round trip each; more in two for all. */
const ONE_BY_ONE = 2
/** How many are looked through when one of them cannot be claimed. */
const MENDED = 1_000
/** How many places whoever had rivals chooses between. */
const RIVALS = 4
/** The least time in which a lease is not looked after, as a part of it. */
const SAFE_PART = 0.5

/** Claims of one holder. */
export class MongoClaims implements LeasedClaims {
  readonly holder: string
  /** Payloads by tag. */
  readonly unsettled: Map<string, string> = new Map()
  readonly changes: Changes
  readonly isAtomic: boolean
  readonly #parts: ClaimsParts
  readonly #owner: ClaimOwner
  #seenAtMs = performance.now()
  #turn = 0
  #hasRivals = false

  constructor(parts: ClaimsParts) {
    const { changes } = parts.store
    this.#parts = parts
    this.holder = parts.holder
    this.#owner = { store: parts.store, holder: parts.holder, unsettled: this.unsettled }
    this.isAtomic = parts.writer !== undefined
    const queues = new Set(parts.queues)
    this.changes = {
      get count() {
        return changes.count
      },
      subscribe: (wake) => changes.listen({ queues, changed: wake }),
    }
  }

  async claim(max: number, { leftMs }: ClaimRound): Promise<ClaimAttempt> {
    const { maintenance, store } = this.#parts
    if (max > 0) {
      maintenance.tend()
      const deliveries = await this.#claimNext(max)
      if (deliveries.length > 0) {
        store.changes.worked()
        return { deliveries }
      }
    }
    const nextMs = leftMs > 0 ? await maintenance.look() : 0
    return { deliveries: [], nextMs: Math.min(nextMs, store.changes.pollMs) }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    const { store, writer } = this.#parts
    const isPlain = settlements.every(({ publish, record }) => publish.length === 0 && record === undefined)
    const lost =
      writer === undefined || isPlain
        ? await this.#settlePlainly(settlements)
        : await store.lease.connection.client.withSession((session) =>
            session.withTransaction(() => applySettlements(this.#owner, settlements, { writer, session })),
          )
    // Follow-up messages, and what was given back: somebody in this process may wait for one.
    store.changes.signal()
    return lost
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const held = await heldTags(this.#parts, deliveries)
    return deliveries.filter(({ tag }) => held.has(tag))
  }

  async release(): Promise<void> {
    const { holders, changes } = this.#parts.store
    await holders.release(this.holder, 0)
    await holders.remove(this.holder)
    changes.signal()
  }

  async #settlePlainly(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    const done = settlements.filter(({ handBack }) => handBack === undefined)
    const items = settlements.flatMap(({ delivery, handBack }) =>
      handBack === undefined ? [] : [{ delivery, ...handBack }],
    )
    const lost = await acknowledge(
      this.#owner,
      done.map(({ delivery }) => delivery),
    )
    return [...lost, ...(await giveBack(this.#owner, items))]
  }

  /** Claim up to `max` messages of one queue, each time beginning with the next. */
  async #claimNext(max: number): Promise<readonly Delivery[]> {
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
    const { store, holder, options } = this.#parts
    const { leaseMs } = options
    const nowMs = performance.now()
    if (nowMs - this.#seenAtMs < leaseMs * SAFE_PART) return
    if (!(await store.holders.renew(holder, leaseMs))) {
      throw new BrokerConnectionError('mongodb broker: the lease of this consumer ran out')
    }
    this.#seenAtMs = nowMs
  }

  async #claimFrom(queue: string, max: number): Promise<readonly Delivery[]> {
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
    if (!this.#hasRivals) return found.map((document) => this.#enter(document, queue, claim))
    // Others were quicker with some: those that are left are told by the claim.
    if (modifiedCount === 0) return this.#claimEach(queue, 1)
    const own = await messages
      .find({ queue: claimedName(this.#parts.holder), 'lovage.claim': claim }, { projection: { _id: 1 } })
      .toArray()
    const ours = new Set(own.map(({ _id }) => _id.toHexString()))
    return found
      .filter(({ _id }) => ours.has(_id.toHexString()))
      .map((document) => this.#enter(document, queue, claim))
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
  async #claimEach(queue: string, max: number): Promise<readonly Delivery[]> {
    const claimed: Delivery[] = []
    while (claimed.length < max) {
      const one = await this.#claimOne(queue)
      if (one === undefined) break
      claimed.push(one)
    }
    return claimed
  }

  async #claimOne(queue: string, isMended = false): Promise<Delivery | undefined> {
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
      return document === null ? undefined : this.#enter(document, queue, claim)
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

  /** Never throws: what somebody else wrote must not keep back what was claimed with it. */
  #enter({ _id, payload, lovage }: MessageDocument, queue: string, claim: string): Delivery {
    const text = textOf(payload)
    const delivery = toDelivery(text, isRecord(lovage) ? lovage : {}, { queue, tag: tagOf(_id, claim) })
    this.unsettled.set(delivery.tag, text)
    return delivery
  }
}

function areMarks(marks: unknown): boolean {
  if (marks === undefined) return true
  if (!isRecord(marks)) return false
  return [marks['handouts'], marks['spent']].every(
    (count) => count === undefined || typeof count === 'number',
  )
}
