/**
 * The broker contract: everything the core needs from a message transport, and nothing else.
 *
 * A driver in `brokers/` implements {@link Broker} and {@link Consumer}. The core owns retry, reconnection, task
 * semantics and telemetry; a driver only moves bytes and reports failure. What the words promise is said in tests:
 * `test/conformance/broker.ts`.
 */
import type { ConsumeOptions, Consumer } from './contract/consumer.js'
import type { Fanout } from './contract/fanout.js'
import type { Leases } from './contract/leases.js'
import type { ExchangeType, Outgoing, QueueSpec } from './contract/queue.js'
import type { ScheduleStore } from './contract/schedule-store.js'

export type { Binding, ExchangeOptions, ExchangeType, Outgoing, QueueSpec, Route } from './contract/queue.js'
export type {
  ConsumeOptions,
  Consumer,
  Delivery,
  FetchOptions,
  HandBack,
  Settlement,
} from './contract/consumer.js'
export type { LeaseRenewal, Leases } from './contract/leases.js'
export type { Fanout, FanoutListener, Subscription } from './contract/fanout.js'
export type { Leadership, Occurrence, ScheduleStore, StoredEntry } from './contract/schedule-store.js'
export { OCCURRENCES_KEPT_MS } from './contract/schedule-store.js'

/** Facts about a driver that the core branches on. Each is asserted by the conformance suite. */
export interface BrokerCapabilities {
  /** Largest batch one `fetch`, `ack` or `publish` call handles; the guard splits larger ones. */
  readonly maxBatch: number
  /**
   * Messages that one publish had better carry, where several publishes under way cost no more than one: a store that confirms
   * message by message. Absent where everything that waits goes best in one batch, after the one before.
   */
  readonly publishBatch?: number
  /** Longest durable delay, in milliseconds; 0 when messages cannot be delayed. */
  readonly maxDelayMs: number
  /** Distinct priorities; 1 when priority is ignored. */
  readonly priorityLevels: number
  /**
   * Which priority is served first: `'smallest'` in Celery's lists in Redis.
   *
   * @defaultValue `'largest'`
   */
  readonly firstPriority?: 'largest' | 'smallest'
  /**
   * What a claim lasts by. `'leased'`: by its lease, past the connection; there are `leases`, and on each consumer `holder`
   * and `verify`. `'connection'`: by the connection that claimed it; there are none of them.
   */
  readonly claims: 'leased' | 'connection'
  /** Names the store, so that results in the same one can be settled in one step. Absent where it keeps no results. */
  readonly storeId?: string
  /** Whether `depth` is exact. */
  readonly depth: 'exact' | 'approximate'
  /** Exchange types that route; `[]` when only queues can be addressed. */
  readonly exchanges: readonly ExchangeType[]
  /** Whether messages outlive this process. */
  readonly durable: boolean
  /** Whether the store itself drops a message whose `expirationMs` is over; where absent, the worker that claims it checks. */
  readonly expires?: boolean
}

/** How a publish may be cancelled. */
export interface PublishOptions {
  /**
   * Aborts when the caller waits no longer. A batch that still waits for its turn is then never sent, and its publish rejects
   * at once with a `PublishError` that is `notSent`. What was handed to the store before may be there or not.
   */
  readonly signal: AbortSignal
}

/** A connection to a message transport, and its queues. */
export interface Broker {
  /** The driver's name, as in the docs: `sqlite`, `redis`, … */
  readonly name: string
  readonly capabilities: BrokerCapabilities
  /** Open connections; migrate where the store has a schema. */
  connect(signal: AbortSignal): Promise<void>
  /** Create the queue, its exchanges and bindings. Idempotent. */
  declare(queue: QueueSpec): Promise<void>
  /**
   * Resolves when the broker is responsible for every message of the batch; rejects with a `PublishError` that names
   * the positions not confirmed. A route that reaches no queue is not confirmed.
   */
  publish(batch: readonly Outgoing[], options?: PublishOptions): Promise<void>
  /**
   * Publish as part of a transaction of the application's own database handle: the messages exist when it commits. The
   * queues are declared in it where they are missing. Absent where the store is no such database.
   */
  publishWithin?(transaction: object, batch: readonly Outgoing[], queues: readonly QueueSpec[]): Promise<void>
  /** Open one consumer on several queues, served in turn so that none starves. */
  consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer>
  /** Messages ready to be claimed, excluding delayed and claimed ones. */
  depth(queue: string): Promise<number>
  /** Drop every waiting message, delayed ones included and claimed ones not; resolves with the number dropped. */
  purge(queue: string): Promise<number>
  /**
   * The store's clock, in epoch milliseconds: expiry and due times are compared on it, whatever this machine's says.
   *
   * Absent where the store has no clock that can be asked, or none but this process's.
   */
  serverTime?(): Promise<number>
  /** Names of the queues this store knows. Absent where the store cannot list them. */
  queues?(): Promise<readonly string[]>
  delete(queue: string): Promise<void>
  /** Present if and only if claims are `'leased'`. */
  readonly leases?: Leases
  /** Absent when the transport cannot broadcast. */
  readonly fanout?: Fanout
  /** Absent when the store cannot hold schedules. */
  readonly schedules?: ScheduleStore
  /** Release every connection. Idempotent; safe before `connect`. */
  close(): Promise<void>
}
