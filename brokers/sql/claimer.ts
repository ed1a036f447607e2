import type { Delivery } from '../../src/broker/contract.js'
import type { ClaimAttempt } from '../../src/broker/leased-consumer.js'
import type { AtOnce, ClaimedRow, QueueStatus, QueuePosition } from './dialect/dialect.js'
import { EndedLeases, LAST_CALL_MS } from './ended-leases.js'
import type { EndedStep } from './ended-leases.js'
import { toDelivery } from './envelope.js'
import { SqlFailure } from './failure.js'
import { ClaimStart } from './claim-start.js'
import type { SqlSession } from './sql-session.js'
import type { SqlStore } from './store.js'
import { append } from '../../src/util/long-list.js'

/** Who claims, and from where. */
export interface ClaimerOptions {
  readonly store: SqlStore
  readonly queues: readonly string[]
  readonly holder: number
  readonly leaseMs: number
}

type Places = ReadonlyMap<string, QueuePosition> | undefined

// While batches are full the look is left out, and with it due messages and lost leases wait this long.
const LOOK_EVERY_MS = 100

const NEVER = Number.POSITIVE_INFINITY

// A claim that a power cut undoes is made again.
const FLEETING = { durable: false } as const

/** Claims batches for one consumer, and on the way makes due messages ready and frees what dead holders had. */
export class Claimer {
  readonly #options: ClaimerOptions
  readonly #passedOver = new ClaimStart()
  readonly #ended = new EndedLeases()
  #claims = 0
  #turn = 0
  #lookAtMs = 0
  /** The last claim found less than it could take. */
  #isDry = true

  constructor(options: ClaimerOptions) {
    this.#options = options
  }

  /**
   * Claim up to `max` messages.
   *
   * @param isWoken - A commit was notified since the last try, so that a claim is likely to find something.
   * @throws {@link SqlFailure} when the holder was reaped.
   */
  async claim(max: number, isWoken = false): Promise<ClaimAttempt> {
    const isLookDue = performance.now() >= this.#lookAtMs
    const isEager = isWoken && this.#options.store.dialect.atOnce !== undefined
    if (!isLookDue && isEager && this.#isDry) {
      const deliveries = await this.#claim(max)
      if (deliveries.length > 0) return { deliveries, nextMs: 0 }
    }
    if (isLookDue || this.#isDry) {
      const idleMs = await this.#prepare()
      if (idleMs !== undefined) return { deliveries: [], nextMs: Math.min(idleMs, this.#untilWholeMs()) }
    }
    return { deliveries: await this.#claim(max), nextMs: 0 }
  }

  /** Look, and see to what is due; how long nothing is to be done, in milliseconds, when there is nothing to claim. */
  async #prepare(): Promise<number | undefined> {
    // Set by a look alone: full batches must not put off the next one for ever.
    this.#lookAtMs = performance.now() + LOOK_EVERY_MS
    const status = await this.#look()
    this.#isDry = true
    const untilDueMs = (status.nextDueMs ?? NEVER) - status.nowMs
    const untilEndMs = (status.nextLeaseEndMs ?? NEVER) - status.nowMs
    const ended = this.#ended.step(untilEndMs, status.nowMs)
    if (untilDueMs <= 0 || ended.kind !== 'wait') {
      const { database } = this.#options.store
      await database.transaction(async (session) => this.#maintain(session, ended), FLEETING)
    }
    if (status.ready || untilDueMs <= 0 || ended.kind === 'free') return undefined
    return Math.max(1, Math.min(untilDueMs, ended.kind === 'wait' ? ended.ms : LAST_CALL_MS))
  }

  async #claim(max: number): Promise<readonly Delivery[]> {
    const { dialect, database } = this.#options.store
    const { places } = this.#passedOver
    const startMs = performance.now()
    const deliveries =
      dialect.atOnce === undefined || database.atOnce === undefined
        ? await database.transaction(async (session) => this.#claimWithin(session, max, places), FLEETING)
        : await this.#claimAtOnce(dialect.atOnce, max, places)
    if (places === undefined) this.#passedOver.looked(performance.now() - startMs)
    this.#isDry = deliveries.length < max
    return deliveries
  }

  #untilWholeMs(): number {
    const ms = this.#passedOver.untilWholeMs
    return ms > 0 ? ms : Number.POSITIVE_INFINITY
  }

  /** See that the holder is still known, without claiming. @throws {@link SqlFailure} when it was reaped. */
  async check(): Promise<void> {
    await this.#look()
  }

  async #look(): Promise<QueueStatus> {
    const { store, queues, holder } = this.#options
    const { places } = this.#passedOver
    const startMs = performance.now()
    const status = await store.database.read(async (session) =>
      store.dialect.queue.look(session, queues, holder, places),
    )
    if (places === undefined) this.#passedOver.looked(performance.now() - startMs)
    if (!status.held) throw reaped()
    return status
  }

  async #maintain(session: SqlSession, ended: EndedStep): Promise<void> {
    const { store, holder } = this.#options
    const { dialect } = store
    const promoted = await dialect.queue.promote(session)
    if (ended.kind === 'call') this.#ended.called(await dialect.now(session))
    const isFreeing = ended.kind === 'free'
    const freed = isFreeing ? await dialect.holders.reap(session, holder, this.#ended.endedBeforeMs) : 0
    // Others in this process may serve the queues that these belong to.
    if (promoted + freed > 0)
      setImmediate(() => {
        store.wake.signal()
      })
  }

  /** From the first queue that has something: what was claimed must not be forgotten for a failure at the next one. */
  async #claimAtOnce(atOnce: AtOnce, max: number, places: Places): Promise<readonly Delivery[]> {
    const { store, holder, leaseMs } = this.#options
    const { database, dialect } = store
    this.#claims += 1
    for (const queue of this.#inTurn()) {
      const after = places?.get(queue)
      const request = { queue, after, max, holder, claim: this.#claims, leaseMs }
      const claimed = await database.atOnce?.((session) => atOnce.claim(session, request))
      if (claimed === undefined || claimed.rows.length === 0) continue
      if (claimed.isStale) {
        // Not waited for, as its failure is not one of the claim: the next one tries again.
        void database
          .transaction((session) => dialect.holders.renew(session, holder, leaseMs), FLEETING)
          .catch(() => undefined)
      }
      return this.#taken(queue, claimed.rows)
    }
    return []
  }

  #taken(queue: string, rows: readonly ClaimedRow[]): readonly Delivery[] {
    const last = rows.at(-1)
    if (last !== undefined) this.#passedOver.claimed(queue, last)
    return rows.map((row) => toDelivery(row, queue))
  }

  /** Each claim begins with another queue, so that a full one does not keep the rest waiting. */
  #inTurn(): readonly string[] {
    const { queues } = this.#options
    this.#turn = (this.#turn + 1) % queues.length
    return [...queues.slice(this.#turn), ...queues.slice(0, this.#turn)]
  }

  async #claimWithin(session: SqlSession, max: number, places: Places): Promise<readonly Delivery[]> {
    const { store, holder, leaseMs } = this.#options
    // Made again under its id, it would seem to hold what others have by now.
    if (!(await store.dialect.holders.keep(session, holder, leaseMs))) throw reaped()
    this.#claims += 1
    const deliveries: Delivery[] = []
    for (const queue of this.#inTurn()) {
      if (deliveries.length >= max) break
      const after = places?.get(queue)
      const request = { queue, after, max: max - deliveries.length, holder, claim: this.#claims }
      append(deliveries, this.#taken(queue, await store.dialect.queue.claim(session, request)))
    }
    return deliveries
  }
}

function reaped(): SqlFailure {
  return new SqlFailure('unavailable', 'the lease ran out and its claims were freed; open another consumer')
}
