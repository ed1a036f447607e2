/**
 * The broker contract: everything the core needs from a message transport, and nothing else.
 *
 * A driver in `brokers/` implements {@link Broker} and {@link Consumer}. The core owns retry, reconnection, task
 * semantics and telemetry; a driver only moves bytes and reports failure. What the words promise is said in tests:
 * `test/conformance/broker.ts`.
 */
import type { Message } from '../message/message.js'
import type { OneStepResults, TaskRecord } from '../message/task-record.js'

/** Where a message goes. Exchange `''` means: to the queue that `routingKey` names. */
export interface Route {
  readonly exchange: string
  readonly routingKey: string
}

/** A message to publish. At most one of `notBeforeMs` and `delayMs` is set. */
export interface Outgoing {
  readonly route: Route
  readonly message: Message
  /** Earliest delivery, in epoch milliseconds, compared on the store's clock. */
  readonly notBeforeMs?: number
  /** Delay from the moment the store accepts the message, in milliseconds. */
  readonly delayMs?: number
}

/** How an exchange picks queues. */
export type ExchangeType = 'direct' | 'topic' | 'fanout' | 'headers'

/** One link from an exchange to a queue. */
export interface Binding {
  readonly exchange: string
  readonly type: ExchangeType
  readonly routingKey: string
  /** For `headers` exchanges: what must match, `x-match` included. */
  readonly arguments?: Readonly<Record<string, unknown>>
  /** How the exchange is declared, where a store has exchanges of its own. */
  readonly exchangeOptions?: ExchangeOptions
}

/** How an exchange is declared. */
export interface ExchangeOptions {
  /** @defaultValue `true` */
  readonly durable?: boolean
  /** Delete the exchange with its last binding. */
  readonly autoDelete?: boolean
  /** Passed to the driver untouched. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** A queue to declare. */
export interface QueueSpec {
  readonly name: string
  /** The queue is on the server as it is to be; drivers whose stores share queues with other programs declare nothing. */
  readonly noDeclare?: boolean
  /** `'durable'` survives a broker restart; `'transient'` may go with the connection that declared it. */
  readonly lifetime: 'durable' | 'transient'
  /** Delete the queue after this many milliseconds without a consumer. */
  readonly expiresMs?: number
  /** Delete the queue with its last consumer. Drivers whose stores know no such queues keep it. */
  readonly autoDelete?: boolean
  /** One connection alone consumes the queue, and it goes with that connection; such stores keep it, for all. */
  readonly exclusive?: boolean
  readonly bindings: readonly Binding[]
  /** Passed to the driver untouched, for example `{ 'x-queue-type': 'quorum' }`. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** One claimed message. It stays claimed until settled by its consumer, exactly once. */
export interface Delivery {
  readonly message: Message
  /** The queue it was claimed from. */
  readonly queue: string
  /** The route it was published to, as far as the store kept it. */
  readonly route: Route
  /** How often this message has been claimed, this claim included and unspent hand-backs left out. */
  readonly deliveryCount: number
  /** Whether the message was handed out before, spent or not. */
  readonly redelivered: boolean
  /** The store held the message until its due time: its `eta` is not looked at again. */
  readonly due: boolean
  /** The driver's handle of this claim (row id and token, delivery tag, receipt handle). Opaque, cloneable. */
  readonly tag: string
  /**
   * Tag of the claim that this one replaces: this process had the message, lost the claim with its connection, and got the
   * message again. `deliveryCount` stays what it was, and a run that still goes on continues under this claim.
   */
  readonly replaces?: string
}

/** How long a fetch may wait. */
export interface FetchOptions {
  /** Longest wait for the first delivery, in milliseconds; 0 returns at once. */
  readonly waitMs: number
  /** Ends the wait early with what is there. */
  readonly signal: AbortSignal
}

/** A delivery that goes back to its queue. */
export interface HandBack {
  readonly delivery: Delivery
  /** Hidden for this long, in milliseconds; 0 makes it ready at once. */
  readonly delayMs: number
  /** Keep it hidden until this moment instead, in epoch milliseconds on the store's clock. */
  readonly notBeforeMs?: number
  /** The claim does not count as a delivery (shutdown, parking, an unknown name). */
  readonly unspent: boolean
  /** Headers to set or replace while it waits. A queue that keeps the order of a group may leave them out of what counts. */
  readonly headers?: Readonly<Record<string, unknown>>
}

/** The end of one claim: its follow-up messages and result, then the acknowledgement or the hand-back. */
export interface Settlement {
  readonly delivery: Delivery
  /** Messages that exist only if the claim still holds: retries, callbacks, the rest of a chain, a dead letter. */
  readonly publish: readonly Outgoing[]
  /** The result to store, if any. */
  readonly record?: TaskRecord
  /** How long to keep `record`, in milliseconds; 0 keeps it until forgotten. */
  readonly recordTtlMs?: number
  /** Give the message back in place of acknowledging it. */
  readonly handBack?: Omit<HandBack, 'delivery'>
}

/** A set of claims with one owner. */
export interface Consumer {
  /**
   * Claim up to `max` deliveries, counting each claim before it is handed out.
   *
   * Resolves early with a smaller batch, or empty on wait or abort. Rejects with a `BrokerConnectionError` when the
   * connection is lost, or may do so when its lease ran out; the consumer is then dead and only `close` may be called.
   */
  fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]>
  /** Settle as done. Resolves with the deliveries whose claim was lost: they are someone else's by now (fencing). */
  ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]>
  /** Give back to the queue. Resolves with the deliveries whose claim was lost. */
  handBack(items: readonly HandBack[]): Promise<readonly Delivery[]>
  /**
   * Settle in one atomic step per delivery: publish, store and acknowledge, or nothing where the claim was lost.
   *
   * Present only where queue and results live in one store. Resolves with the deliveries whose claim was lost.
   */
  settle?(settlements: readonly Settlement[]): Promise<readonly Delivery[]>
  /** Which of these claims still hold, asked of the store. Present if and only if claims are `'leased'`. */
  verify?(deliveries: readonly Delivery[]): Promise<readonly Delivery[]>
  /**
   * Identifies the claims of this consumer to {@link Leases}, which may be another instance in another thread.
   * Present if and only if claims are `'leased'`.
   */
  readonly holder?: string
  /**
   * Bound the unsettled deliveries this consumer may hold (AMQP prefetch); resolves when what the store had sent beyond
   * it, and was not fetched, is given back, unspent.
   */
  setCredit(credit: number): Promise<void>
  /** Stop claiming and give every unsettled delivery back, unspent. Idempotent; tolerates a lost connection. */
  close(): Promise<void>
}

/** How to consume. */
export interface ConsumeOptions {
  /** Initial bound on unsettled deliveries. */
  readonly credit: number
  /** How long a claim lasts unless renewed, in milliseconds, where claims expire. */
  readonly leaseMs: number
  /** Of the result backend in use. A driver is handed those of its own store only, and then offers `settle`. */
  readonly results?: OneStepResults | undefined
}

/** Renews claims, from any thread: the keeper opens a broker of its own for it. */
export interface Leases {
  /**
   * `'holder'`: one call renews all claims of a consumer, and `tags` may be empty.
   * `'tags'`: each claim has to be named.
   */
  readonly renews: 'holder' | 'tags'
  /**
   * Renew for `leaseMs` from now on the store's clock.
   *
   * @returns Whether the holder still owns its claims (`'holder'`), or the tags already lost (`'tags'`).
   */
  renew(holder: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal>
  /**
   * Renew the claims of these tags as `renew` does, and give back, unspent, whatever else the holder has: claims whose
   * answer was lost on the way. Asked in every round once the consumer's `fetch` has failed, since a claim that was under
   * way may be carried out later; a tag that the store does not know is no error.
   *
   * Present if and only if `renews` is `'holder'`: claims that are named one by one run out when they are not named.
   */
  reconcile?(holder: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal>
}

/** What a renewal found. */
export interface LeaseRenewal {
  /** `false` when every claim of the holder is lost. */
  readonly held: boolean
  /** Claims lost one by one. */
  readonly lostTags: readonly string[]
}

/** Best-effort broadcast, for remote control and events. Nothing is stored for absent listeners. */
export interface Fanout {
  broadcast(route: Route, message: Message): Promise<void>
  subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription>
}

/** Who hears broadcasts. */
export interface FanoutListener {
  message(route: Route, message: Message): void
  /** Called once when the subscription dies of a lost connection. */
  lost(error: Error): void
}

/** An open subscription. */
export interface Subscription {
  close(): Promise<void>
}

/** One planned run of a beat entry. */
export interface Occurrence {
  /** Identity: entry and scheduled instant. Two inserts of one id are one occurrence. */
  readonly id: string
  readonly entry: string
  readonly scheduledAtMs: number
}

/** What a beat hears when it asks to lead. */
export interface Leadership {
  readonly leads: boolean
  /** The store's clock, in epoch milliseconds: what every beat goes by, whatever its own clock says. */
  readonly nowMs: number
  /** Another number after every change of the entries. */
  readonly revision: number
}

/** An entry as a store keeps it. */
export interface StoredEntry {
  /** What was saved; JSON. */
  readonly data: Readonly<Record<string, unknown>>
  /** The latest instant of its occurrences, in epoch milliseconds; absent before the first. */
  readonly lastMs?: number
  /** Changes with `data`; names what a save replaces. Opaque. */
  readonly version: string
}

/** How long a store remembers occurrences, in milliseconds before the latest one of the entry. */
export const OCCURRENCES_KEPT_MS = 86_400_000

/** What beat keeps in a store: entries, occurrences sent once, and a leader's lease. */
export interface ScheduleStore {
  /**
   * Insert and publish in one step; resolves `false`, and publishes nothing, when the occurrence exists already, its entry
   * does not, or it is so much older than the entry's latest that it may have been forgotten.
   */
  claimOccurrence(occurrence: Occurrence, publish: readonly Outgoing[]): Promise<boolean>
  /** Take leadership, or keep it, for `leaseMs` from now on the store's clock. */
  lead(candidate: string, leaseMs: number): Promise<Leadership>
  /** Give leadership up; nothing where another leads. */
  resign(candidate: string): Promise<void>
  /**
   * Add an entry, or replace the one of the version `replaces`; its occurrences stay.
   *
   * Resolves `false` and saves nothing when the entry is not as the caller read it: another version, gone, or, without
   * `replaces`, there already.
   */
  saveEntry(name: string, data: Readonly<Record<string, unknown>>, replaces?: string): Promise<boolean>
  /** One entry; `undefined` where there is none. */
  loadEntry(name: string): Promise<StoredEntry | undefined>
  loadEntries(): Promise<ReadonlyMap<string, StoredEntry>>
  /** Remove an entry and its occurrences. */
  removeEntry(name: string): Promise<void>
}

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
