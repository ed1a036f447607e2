/** Claiming messages and settling the claims. */
import type { Message } from '../../message/message.js'
import type { OneStepResults, TaskRecord } from '../../message/task-record.js'
import type { Outgoing, Route } from './queue.js'

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
  /** Give the message back instead of acknowledging it. */
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
   * Identifies the claims of this consumer to `Leases`, which may be another instance in another thread.
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
