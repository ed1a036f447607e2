import type { Delivery } from '../../src/broker/contract.js'
import type { Outlook } from './dialect/dialect.js'
import { toDelivery } from './envelope.js'
import { SqlFailure } from './failure.js'
import type { Session } from './session.js'
import type { SqlStore } from './store.js'

/** Who claims, and from where. */
export interface ClaimerOptions {
  readonly store: SqlStore
  readonly queues: readonly string[]
  readonly holder: number
  readonly leaseMs: number
}

/** What a try to claim found. */
export interface ClaimAttempt {
  readonly deliveries: readonly Delivery[]
  /** When to try again at the latest, in milliseconds from now; `Infinity` when nothing is on its way. */
  readonly nextMs: number
}

// While batches are full the look is left out, and with it due messages and lost leases wait this long.
const LOOK_EVERY_MS = 100

// A claim that a power cut undoes is made again.
const FLEETING = { durable: false } as const

/** Claims batches for one consumer, and on the way makes due messages ready and frees what dead holders had. */
export class Claimer {
  readonly #options: ClaimerOptions
  #claims = 0
  #turn = 0
  #lookAtMs = 0

  constructor(options: ClaimerOptions) {
    this.#options = options
  }

  /** Claim up to `max` messages. @throws {@link SqlFailure} when the holder was reaped. */
  async claim(max: number): Promise<ClaimAttempt> {
    const { database } = this.#options.store
    if (performance.now() >= this.#lookAtMs) {
      // Set by a look alone: full batches must not put off the next one for ever.
      this.#lookAtMs = performance.now() + LOOK_EVERY_MS
      const outlook = await this.#look()
      const due = isPast(outlook.nextDueMs, outlook)
      const ended = isPast(outlook.nextLeaseEndMs, outlook)
      if (!outlook.ready && !due && !ended) return this.#nothing(outlook)
      if (due || ended) await database.transaction(async (session) => this.#maintain(session), FLEETING)
    }
    const deliveries = await database.transaction(
      async (session) => this.#claimWithin(session, max),
      FLEETING,
    )
    if (deliveries.length < max) this.#lookAtMs = 0
    return { deliveries, nextMs: 0 }
  }

  #nothing(outlook: Outlook): ClaimAttempt {
    this.#lookAtMs = 0
    return { deliveries: [], nextMs: nextMs(outlook) }
  }

  /** See that the holder is still known, without claiming. @throws {@link SqlFailure} when it was reaped. */
  async check(): Promise<void> {
    await this.#look()
  }

  async #look(): Promise<Outlook> {
    const { store, queues, holder } = this.#options
    const outlook = await store.database.read(async (session) => store.dialect.look(session, queues, holder))
    if (!outlook.held) throw reaped()
    return outlook
  }

  async #maintain(session: Session): Promise<void> {
    const { store, holder } = this.#options
    const promoted = await store.dialect.promote(session)
    const freed = await store.dialect.reap(session, holder)
    // Others in this process may serve the queues that these belong to.
    if (promoted + freed > 0)
      setImmediate(() => {
        store.wake.signal()
      })
  }

  async #claimWithin(session: Session, max: number): Promise<readonly Delivery[]> {
    const { store, queues, holder, leaseMs } = this.#options
    // Made again under its id, it would seem to hold what others have by now.
    if (!(await store.dialect.keepHolder(session, holder, leaseMs))) throw reaped()
    this.#claims += 1
    const deliveries: Delivery[] = []
    // Each claim begins with another queue, so that a full one does not keep the rest waiting.
    this.#turn = (this.#turn + 1) % queues.length
    for (let step = 0; step < queues.length && deliveries.length < max; step += 1) {
      const queue = queues[(this.#turn + step) % queues.length] ?? ''
      const request = { queue, max: max - deliveries.length, holder, claim: this.#claims }
      for (const row of await store.dialect.claim(session, request)) deliveries.push(toDelivery(row, queue))
    }
    return deliveries
  }
}

function reaped(): SqlFailure {
  return new SqlFailure(
    'unavailable',
    'the lease ran out and its claims were freed; open another consumer',
    undefined,
  )
}

function isPast(moment: number | undefined, outlook: Outlook): boolean {
  return moment !== undefined && moment <= outlook.nowMs
}

function nextMs({ nowMs, nextDueMs, nextLeaseEndMs }: Outlook): number {
  const next = Math.min(nextDueMs ?? Number.POSITIVE_INFINITY, nextLeaseEndMs ?? Number.POSITIVE_INFINITY)
  return Math.max(1, next - nowMs)
}
