import type { Broker, Delivery, QueueSpec } from '../../broker/contract.js'
import { leaseOf } from '../../broker/lease-of.js'
import { BrokerConnectionError } from '../../errors/errors.js'
import { toError } from '../../util/to-error.js'
import { ClaimSet } from '../claim/claim-set.js'
import type { ClaimWindow } from '../claim/claim-window.js'
import type { Dispatcher } from '../run/dispatcher.js'
import type { WorkerHost } from '../host.js'
import type { LeaseKeeper } from '../../broker/lease-keeper.js'
import { TagBatch } from '../lease/tag-batch.js'
import type { SettleItem } from '../settle/settle-item.js'
import { Settler } from '../settle/settler.js'
import type { WorkerSettings } from '../settings.js'

/** What every session of a worker shares. */
export interface ConsumerSessionParts {
  readonly host: WorkerHost
  readonly settings: WorkerSettings
  readonly queues: readonly QueueSpec[]
  readonly window: ClaimWindow
  readonly dispatcher: Dispatcher
  readonly keeper: LeaseKeeper
  readonly orphaned: (item: SettleItem) => void
}

/** Longest wait of one fetch. A fetch that has not answered well after it has lost its connection. */
const FETCH_WAIT_MS = 5_000
/** Longest settle, in milliseconds, before the connection counts as lost. */
const SETTLE_LIMIT_MS = 30_000
/** How long ready work may stay unclaimed although slots are free, before the consumer is replaced. */
const STARVED_MS = 60_000
/** How much longer than its wait a fetch may take. */
const FETCH_GRACE_MS = 20_000

/**
 * One connection with its consumer: declared and opened from nothing, used until it fails or is told to stop.
 *
 * States: open → claiming → (lost | stopped) → closed. A lost session stays open for its claims; see {@link ClaimSet}.
 */
export class ConsumerSession {
  readonly claims: ClaimSet
  readonly #parts: ConsumerSessionParts
  /** When the fetch under way began, on the monotonic clock; 0 between fetches. */
  #fetchingSinceMs = 0
  /** When deliveries last came. */
  #claimedMs: number
  #hasFetched = false
  readonly #stop = new AbortController()
  #fail: (error: Error) => void = () => undefined
  #isLost = false
  #closing: Promise<void> | undefined

  private constructor(parts: ConsumerSessionParts, claims: ClaimSet) {
    this.#parts = parts
    this.claims = claims
    this.#claimedMs = parts.host.elapsedMs()
  }

  /** Declare the queues and open a consumer on a connected broker, which the session owns from then on. */
  static async open(broker: Broker, parts: ConsumerSessionParts): Promise<ConsumerSession> {
    const { host, settings, queues, window, keeper } = parts
    await host.storeClock.measure(broker)
    for (const queue of queues) await broker.declare(queue)
    const consumer = await broker.consume(
      queues.map((queue) => queue.name),
      {
        credit: window.most,
        leaseMs: settings.leaseMs,
        results: host.backend?.oneStep,
      },
    )
    const lease = leaseOf(broker, consumer)
    const named = lease?.leases.renews === 'tags' ? new TagBatch(keeper, lease.holder) : undefined
    const settler = new Settler({
      broker,
      consumer,
      backend: host.backend,
      clock: host.clock,
      logger: host.logger,
      limitMs: SETTLE_LIMIT_MS,
      leaseMs: settings.leaseMs,
      lost: (error) => session.lose(error),
      orphaned: parts.orphaned,
    })
    const changed = (tag: string, isClaimed: boolean): void => {
      if (named !== undefined) named.change(tag, isClaimed)
      else if (lease !== undefined && !isClaimed && session.isLost)
        keeper.changed(lease.holder, { added: [], removed: [tag] })
    }
    const flush = named && (() => named.flush())
    const claims = new ClaimSet({ broker, consumer, settler, changed, flush })
    const session: ConsumerSession = new ConsumerSession(parts, claims)
    if (lease !== undefined) {
      keeper.hold({
        ...lease,
        lost: (tags) => {
          parts.dispatcher.loseClaims(claims, tags)
          // The consumer still counts what is lost against its credit, and nothing renews what it claims from now on.
          if (tags === undefined) session.lose(new BrokerConnectionError('every claim was lost to its lease'))
        },
      })
    }
    return session
  }

  /** Whether the connection failed. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Whether the store has answered a fetch. */
  get hasFetched(): boolean {
    return this.#hasFetched
  }

  /** Claim until stopped. Rejects when the connection is lost. Either way the runs it began go on. */
  claim(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fail = reject
      this.#consume().then(resolve, (error: unknown) => {
        this.lose(toError(error))
      })
    })
  }

  /** Claim deliveries while there is room for them. */
  async #consume(): Promise<void> {
    const { window, dispatcher, host } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      const room = await window.free(signal)
      if (room === 0) return
      this.#fetchingSinceMs = host.elapsedMs()
      const batch = await this.claims.consumer.fetch(room, { waitMs: FETCH_WAIT_MS, signal })
      this.#fetchingSinceMs = 0
      this.#hasFetched = true
      if (batch.length === 0) continue
      this.#claimedMs = host.elapsedMs()
      if (this.#isLost) await this.#giveBack(batch)
      else dispatcher.receive(this.claims, batch)
    }
  }

  /** Claim no more. Resolves when no request is under way that can still bring messages. */
  async stopClaiming(): Promise<void> {
    this.#stop.abort()
    await this.claims.consumer.setCredit(0)
  }

  /** The connection failed: claim no more here, and let {@link claim} reject. */
  lose(error: Error): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#stop.abort()
    const { dispatcher, settings, keeper } = this.#parts
    dispatcher.connectionLost(this.claims, settings.workerCancelLongRunningTasksOnConnectionLoss)
    // A claim whose answer was lost is not among these, and would be renewed as long as one of them is in use.
    const { holder } = this.claims.consumer
    if (holder !== undefined) keeper.reconcile(holder, this.claims.tags)
    this.#fail(error)
  }

  /**
   * Look whether this session still does its work: a fetch that never answers, or ready messages that are not claimed
   * although slots are free, mean a connection that is up and dead.
   */
  async inspect(): Promise<void> {
    if (this.#isLost || this.#stop.signal.aborted) return
    const { host, window, queues } = this.#parts
    const nowMs = host.elapsedMs()
    const claimedMs = this.#claimedMs
    if (this.#fetchingSinceMs > 0 && nowMs - this.#fetchingSinceMs > FETCH_WAIT_MS + FETCH_GRACE_MS) {
      this.lose(new BrokerConnectionError('a fetch did not answer in time'))
      return
    }
    await host.storeClock.measure(this.claims.broker)
    if (!window.isIdle || nowMs - claimedMs < STARVED_MS) return
    const depths = await Promise.all(queues.map((queue) => this.claims.broker.depth(queue.name)))
    const ready = depths.reduce((sum, depth) => sum + depth, 0)
    if (ready === 0 || this.#claimedMs !== claimedMs) return
    this.lose(
      new BrokerConnectionError(`${ready} messages are ready and none came for ${STARVED_MS / 1000} s`),
    )
  }

  /** Deliveries that came after the loss: the keeper does not know them. */
  async #giveBack(batch: readonly Delivery[]): Promise<void> {
    try {
      await this.claims.consumer.handBack(batch.map((delivery) => ({ delivery, delayMs: 0, unspent: true })))
    } catch {
      // Where claims outlive the connection, the keeper gives them back.
    }
  }

  /** Wait until no claim is in use, then close consumer and connection. */
  async retire(): Promise<void> {
    await this.claims.empty()
    await this.close()
  }

  /** Close consumer and connection: what is still claimed goes back. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { consumer, broker, settler } = this.claims
    this.#stop.abort()
    settler.abandon()
    try {
      await consumer.close()
    } finally {
      // Renewed until the claims are given back.
      if (consumer.holder !== undefined) this.#parts.keeper.release(consumer.holder)
      await broker.close()
    }
  }
}
