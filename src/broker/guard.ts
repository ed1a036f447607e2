import { BrokerConnectionError, BrokerError, PublishError } from '../errors/errors.js'
import { systemClock } from '../util/clock.js'
import type { Clock } from '../util/clock.js'
import { withCancellation, withDeadline } from '../util/deadline.js'
import { Lifecycle } from '../util/lifecycle.js'
import { toBrokerError } from './broker-error.js'
import type {
  Broker,
  BrokerCapabilities,
  ConsumeOptions,
  Consumer,
  Fanout,
  Leases,
  Outgoing,
  PublishOptions,
  QueueSpec,
  ScheduleStore,
} from './contract.js'
import { DelayLimit } from './delay-limit.js'
import { GuardedConsumer } from './guarded-consumer.js'
import { publishInChunks, unconfirmed } from './in-chunks.js'
import type { PublishProgress } from './in-chunks.js'
import { QueueRoutes } from './queue-routes.js'

/** How long a guarded broker waits for its driver. */
export interface GuardOptions {
  /**
   * Longest publish, in milliseconds, however many chunks it takes.
   *
   * @defaultValue 5,000
   */
  readonly publishTimeoutMs?: number
  /**
   * Longest connect, in milliseconds. It may include a migration.
   *
   * @defaultValue 30,000
   */
  readonly connectTimeoutMs?: number
  /**
   * Longest wait for any other answer, in milliseconds; fetching, purging and deleting have none.
   *
   * @defaultValue 30,000
   */
  readonly answerTimeoutMs?: number
  /**
   * Where time comes from.
   *
   * @defaultValue the machine's clock
   */
  readonly clock?: Clock
}

/**
 * A broker that keeps what a driver may forget.
 *
 * It connects once, closes once, and is not used before or after; closes the consumers it opened; splits batches to
 * `maxBatch`; refuses by name delays and exchanges the driver does not have; ends a publish at its deadline; and
 * throws errors of ours only. Optional parts are there exactly when the driver has them.
 */
export function guardBroker(broker: Broker, options: GuardOptions = {}): Broker {
  return broker instanceof GuardedBroker ? broker : new GuardedBroker(broker, options)
}

class GuardedBroker implements Broker {
  readonly name: string
  readonly capabilities: BrokerCapabilities
  readonly serverTime?: () => Promise<number>
  readonly queues?: () => Promise<readonly string[]>
  readonly publishWithin?: NonNullable<Broker['publishWithin']>
  readonly leases?: Leases
  readonly fanout?: Fanout
  readonly schedules?: ScheduleStore
  readonly #inner: Broker
  readonly #life: Lifecycle
  readonly #routes: QueueRoutes
  readonly #delays: DelayLimit
  readonly #consumers = new Set<Consumer>()
  readonly #publishTimeoutMs: number
  readonly #answerTimeoutMs: number
  readonly #clock: Clock

  constructor(inner: Broker, options: GuardOptions) {
    this.name = inner.name
    this.capabilities = inner.capabilities
    this.#inner = inner
    this.#clock = options.clock ?? systemClock
    this.#publishTimeoutMs = options.publishTimeoutMs ?? 5_000
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 30_000
    this.#routes = new QueueRoutes(inner.name, inner.capabilities)
    this.#delays = new DelayLimit(inner.name, inner.capabilities.maxDelayMs, this.#clock)
    this.#life = new Lifecycle({
      what: `broker "${inner.name}"`,
      connect: (signal) => typed('connect', () => inner.connect(signal)),
      close: () => this.#closeAll(),
      connectTimeoutMs: options.connectTimeoutMs ?? 30_000,
      clock: this.#clock,
      refused: (message) => new BrokerError(message),
      late: (message) => new BrokerConnectionError(message),
    })
    const serverTime = inner.serverTime?.bind(inner)
    if (serverTime !== undefined) this.serverTime = () => this.#open('asking for the time', serverTime)
    if (inner.queues !== undefined) {
      this.queues = () => this.#open('listing queues', async () => (await inner.queues?.()) ?? [])
    }
    if (inner.publishWithin !== undefined) {
      this.publishWithin = async (transaction, batch, queues) => {
        this.#delays.check(batch)
        const declared = queues.map((queue) => this.#routes.declared(queue))
        await this.#open('publishing', async () =>
          inner.publishWithin?.(transaction, this.#routes.routed(batch), declared),
        )
      }
    }
    if (inner.leases !== undefined) this.leases = this.#guardLeases(inner.leases)
    if (inner.fanout !== undefined) this.fanout = this.#guardFanout(inner.fanout)
    if (inner.schedules !== undefined) this.schedules = this.#guardSchedules(inner.schedules)
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#life.connect(signal)
  }

  async declare(queue: QueueSpec): Promise<void> {
    const declared = this.#routes.declared(queue)
    await this.#open(`declaring queue "${queue.name}"`, () => this.#inner.declare(declared))
  }

  async publish(batch: readonly Outgoing[], options?: PublishOptions): Promise<void> {
    this.#life.assertOpen()
    if (batch.length === 0) return
    this.#delays.check(batch)
    const routed = this.#routes.routed(batch)
    const progress: PublishProgress = { refused: [], answered: 0 }
    const late = (): Error => {
      const message =
        `broker "${this.name}" did not confirm within ${String(this.#publishTimeoutMs)} ms; ` +
        'the messages may be sent all the same'
      // Most likely the connection is dead: it can be tried again, on another one.
      const cause = new BrokerConnectionError(message)
      return new PublishError(message, unconfirmed(batch, progress), { cause })
    }
    const work = (signal: AbortSignal): Promise<void> => this.#publish(routed, progress, signal)
    const deadline = { ms: this.#publishTimeoutMs, clock: this.#clock, late }
    await withCancellation(work, deadline, options?.signal)
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const isOwnStore = options.results?.storeId === this.capabilities.storeId
    const results = isOwnStore ? options.results : undefined
    const inner = await this.#open('consume', () => this.#inner.consume(queues, { ...options, results }))
    const consumer = new GuardedConsumer(inner, {
      capabilities: this.capabilities,
      delays: this.#delays,
      routed: (batch) => this.#routes.routed(batch),
      inTime: (doing, work) => this.#inTime(doing, work),
      closed: (closed) => {
        this.#consumers.delete(closed)
      },
    })
    this.#consumers.add(consumer)
    return consumer
  }

  depth(queue: string): Promise<number> {
    return this.#open(`counting queue "${queue}"`, () => this.#inner.depth(queue))
  }

  purge(queue: string): Promise<number> {
    return this.#openLong(`purging queue "${queue}"`, () => this.#inner.purge(queue))
  }

  delete(queue: string): Promise<void> {
    return this.#openLong(`deleting queue "${queue}"`, () => this.#inner.delete(queue))
  }

  close(): Promise<void> {
    return this.#life.close()
  }

  #publish(batch: readonly Outgoing[], progress: PublishProgress, signal: AbortSignal): Promise<void> {
    const send = (chunk: readonly Outgoing[]): Promise<void> =>
      typed('publish', () => this.#inner.publish(chunk, { signal }))
    const { maxBatch } = this.capabilities
    if (batch.length <= maxBatch) return send(batch)
    return publishInChunks(batch, { size: maxBatch, progress, signal }, send)
  }

  async #open<Value>(doing: string, work: () => Promise<Value>): Promise<Value> {
    return this.#inTime(doing, () => this.#openLong(doing, work))
  }

  #inTime<Value>(doing: string, work: () => Promise<Value>): Promise<Value> {
    const ms = this.#answerTimeoutMs
    const late = (): Error =>
      new BrokerConnectionError(`${doing}: broker "${this.name}" did not answer within ${ms} ms`)
    return withDeadline(work(), { ms, clock: this.#clock, late })
  }

  async #openLong<Value>(doing: string, work: () => Promise<Value>): Promise<Value> {
    this.#life.assertOpen()
    return typed(doing, work)
  }

  /** A consumer that cannot be closed must not keep the connection open. */
  async #closeAll(): Promise<void> {
    await Promise.allSettled([...this.#consumers].map((consumer) => consumer.close()))
    await typed('close', () => this.#inner.close())
  }

  #guardLeases(inner: Leases): Leases {
    const reconcile = inner.reconcile?.bind(inner)
    return {
      renews: inner.renews,
      renew: (holder, tags, leaseMs) =>
        this.#open('renewing claims', () => inner.renew(holder, tags, leaseMs)),
      ...(reconcile !== undefined && {
        reconcile: (holder, tags, leaseMs) =>
          this.#open('reconciling claims', () => reconcile(holder, tags, leaseMs)),
      }),
    }
  }

  #guardSchedules(inner: ScheduleStore): ScheduleStore {
    return {
      claimOccurrence: (occurrence, publish) =>
        this.#open('claiming an occurrence', () =>
          inner.claimOccurrence(occurrence, this.#routes.routed(publish)),
        ),
      lead: (candidate, leaseMs) => this.#open('leading', () => inner.lead(candidate, leaseMs)),
      resign: (candidate) => this.#open('resigning', () => inner.resign(candidate)),
      saveEntry: (name, entry, replaces) =>
        this.#open('saving an entry', () => inner.saveEntry(name, entry, replaces)),
      loadEntry: (name) => this.#open('loading an entry', () => inner.loadEntry(name)),
      loadEntries: () => this.#open('loading entries', () => inner.loadEntries()),
      removeEntry: (name) => this.#open('removing an entry', () => inner.removeEntry(name)),
    }
  }

  #guardFanout(inner: Fanout): Fanout {
    return {
      broadcast: (route, message) => this.#open('broadcast', () => inner.broadcast(route, message)),
      subscribe: (bindings, listener) => this.#open('subscribe', () => inner.subscribe(bindings, listener)),
    }
  }
}

async function typed<Value>(doing: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw toBrokerError(error, doing)
  }
}
