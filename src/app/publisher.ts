import type { Broker, QueueSpec } from '../broker/contract.js'
import { delayedIfAble } from '../broker/delay-limit.js'
import { readRetryPolicy, type RetryPolicy } from '../config/retry-policy.js'
import { BrokerConnectionError, LovageError, PublishError, UnsupportedError } from '../errors/errors.js'
import type { CallOptions } from '../task/call-options.js'
import type { PublishOptions, Sendable } from '../task/sender.js'
import { BatchQueue } from '../util/batch-queue.js'
import type { Clock } from '../util/clock.js'
import { withCancellation } from '../util/deadline.js'
import { toError } from '../util/to-error.js'
import { leastOf } from '../util/long-list.js'

/** Where the publisher gets its connection from. */
export interface PublishConnection {
  /** The broker, when it is connected already. */
  readonly present: Broker | undefined
  /** Connected and ready; rejects with a `BrokerConnectionError` when it cannot be. */
  get(): Promise<Broker>
  /** Declare a queue; `undefined` when this connection has done so. */
  declare(broker: Broker, queue: QueueSpec): Promise<void> | undefined
  /** The connection failed: the next `get` opens another. */
  discard(broker: Broker): void
}

/** How the publisher behaves unless a call says otherwise. */
export interface PublisherOptions {
  readonly retry: boolean
  readonly retryPolicy: RetryPolicy
  /** Longest time from the call to the confirmation or the error: connecting, declaring and every try included. */
  readonly timeoutMs: number
  readonly clock: Clock
}

interface Pending {
  readonly sendable: Sendable
  readonly isRetried: boolean
  readonly policy: RetryPolicy
  readonly deadlineMs: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  retries: number
}

/** One try of one batch. */
interface Attempt {
  batch: readonly Pending[]
  broker: Broker | undefined
  doing: 'connecting' | 'declaring the queue' | 'publishing'
  /** It has failed: what answers later is nobody's any more. */
  isOver: boolean
  /** It has failed because the time of its oldest call was up. */
  isLate: boolean
}

/** Publishes under way at once, where the broker takes them that way. */
const MOST_UNDER_WAY = 32
/** How much of its time a call may have waited for the broker's own deadline to be near enough. */
const SLACK_MS = 50

/**
 * Publishes with confirmation. Calls of one turn of the event loop, and those made while a batch is under way, travel
 * together: one round trip for all of them, without a timer.
 */
export class Publisher {
  readonly #connection: PublishConnection
  readonly #options: PublisherOptions
  // Owned by the flush loop once it has taken them.
  readonly #pending = new BatchQueue<Pending>()
  #isFlushing = false
  /** Batches that are not waited for before the next. */
  #underWay = 0
  /** How long to wait before the next batch, since one under way failed. */
  #restMs = 0
  #hasRoom: () => void = () => undefined

  constructor(connection: PublishConnection, options: PublisherOptions) {
    this.#connection = connection
    this.#options = options
  }

  /**
   * Resolves when the broker has the message.
   *
   * @throws `ConfigError` for a retry policy that is none, before anything is sent.
   */
  publish(sendable: Sendable, options: PublishOptions = {}): Promise<void> {
    const { retry: isRetried = this.#options.retry, retryPolicy } = options
    return new Promise((resolve, reject) => {
      const policy =
        retryPolicy === undefined ? this.#options.retryPolicy : readRetryPolicy(retryPolicy, 'retryPolicy')
      const deadlineMs = this.#options.clock.now() + this.#options.timeoutMs
      this.#pending.push({ sendable, isRetried, policy, deadlineMs, resolve, reject, retries: 0 })
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    void this.#flushAll()
  }

  /** Never rejects: every error goes to the calls it belongs to. */
  async #flushAll(): Promise<void> {
    await Promise.resolve()
    while (this.#pending.size > 0) {
      const waitMs = this.#restMs
      this.#restMs = 0
      if (waitMs > 0) await sleep(this.#options.clock, waitMs)
      const most = this.#connection.present?.capabilities.publishBatch
      if (most === undefined) this.#restMs = await this.#send(this.#pending.take())
      else await this.#sendAside(this.#pending.take(most))
    }
    this.#isFlushing = false
  }

  /** Send one batch beside those that are under way; resolves when there is room for another. */
  async #sendAside(batch: readonly Pending[]): Promise<void> {
    this.#underWay += 1
    void this.#send(batch).then((waitMs) => {
      this.#underWay -= 1
      this.#restMs = Math.max(this.#restMs, waitMs)
      this.#hasRoom()
      if (this.#pending.size > 0) this.#flush()
    })
    if (this.#underWay >= MOST_UNDER_WAY) await new Promise<void>((resolve) => (this.#hasRoom = resolve))
  }

  /** Send one batch; resolves with how long to wait before what is to be tried again. */
  async #send(batch: readonly Pending[]): Promise<number> {
    const broker = this.#readyFor(batch)
    const attempt: Attempt = { batch, broker, doing: 'connecting', isOver: false, isLate: false }
    try {
      // Where nothing has to be opened or declared, the broker's own deadline is the call's.
      if (broker === undefined) return await this.#inTime(attempt)
      await broker.publish(batch.map(({ sendable }) => delayedIfAble(broker, sendable.outgoing)))
    } catch (error) {
      attempt.isOver = true
      if (attempt.broker !== undefined && isConnectionError(error)) this.#connection.discard(attempt.broker)
      return this.#fail(this.#ended(attempt), error)
    }
    for (const pending of batch) pending.resolve()
    return 0
  }

  /** The calls that an attempt ended: those that joined an older one and have time left just go on. */
  #ended({ batch, doing, isLate }: Attempt): readonly Pending[] {
    if (!isLate || doing === 'publishing') return batch
    const nowMs = this.#options.clock.now()
    this.#pending.putBack(batch.filter((pending) => pending.deadlineMs > nowMs))
    return batch.filter((pending) => pending.deadlineMs <= nowMs)
  }

  /** The broker, when it is connected, knows every queue of the batch, and the calls have not waited. */
  #readyFor(batch: readonly Pending[]): Broker | undefined {
    const { present } = this.#connection
    if (present === undefined) return undefined
    const freshMs = this.#options.clock.now() + this.#options.timeoutMs - SLACK_MS
    for (const { sendable, deadlineMs } of batch) {
      if (deadlineMs < freshMs) return undefined
      const { queue } = sendable
      // One that is under way, or fails, is asked for again by the slow way.
      if (queue !== undefined && this.#isDeclaring(present, queue)) return undefined
    }
    return present
  }

  #isDeclaring(broker: Broker, queue: QueueSpec): boolean {
    const declaring = this.#connection.declare(broker, queue)
    declaring?.catch(() => undefined)
    return declaring !== undefined
  }

  /** Connect, declare and publish before the first deadline of the batch. */
  #inTime(attempt: Attempt): Promise<number> {
    const { clock, timeoutMs } = this.#options
    const nowMs = clock.now()
    const ms = Math.max(0, leastOf(attempt.batch.map((pending) => pending.deadlineMs)) - nowMs)
    const late = (): Error => {
      attempt.isLate = true
      return new BrokerConnectionError(
        `the broker did not confirm within ${timeoutMs} ms: ${attempt.doing} hangs`,
      )
    }
    return withCancellation((signal) => this.#open(attempt, signal), { ms, clock, late })
  }

  async #open(attempt: Attempt, signal: AbortSignal): Promise<number> {
    const broker = await this.#connection.get()
    if (isOver(attempt)) return 0
    attempt.broker = broker
    attempt.doing = 'declaring the queue'
    const refused = await this.#declareAll(broker, attempt.batch)
    if (isOver(attempt)) return 0
    attempt.doing = 'publishing'
    const waitMs = refused === undefined ? 0 : this.#failRefused(attempt, refused)
    if (attempt.batch.length === 0) return waitMs
    await broker.publish(
      attempt.batch.map(({ sendable }) => delayedIfAble(broker, sendable.outgoing)),
      { signal },
    )
    if (isOver(attempt)) return 0
    for (const pending of attempt.batch) pending.resolve()
    return waitMs
  }

  /** Take those out of the batch whose queue was refused. */
  #failRefused(attempt: Attempt, refused: ReadonlyMap<string, Error>): number {
    let waitMs = 0
    attempt.batch = attempt.batch.filter((pending) => {
      const error = refused.get(pending.sendable.queue?.name ?? '')
      if (error !== undefined) waitMs = Math.max(waitMs, this.#retryOrReject(pending, error))
      return error === undefined
    })
    return waitMs
  }

  /** Declare the queues of a batch. Only a lost connection concerns all: other errors are told by queue. */
  async #declareAll(
    broker: Broker,
    batch: readonly Pending[],
  ): Promise<ReadonlyMap<string, Error> | undefined> {
    const queues = new Map<string, QueueSpec>()
    for (const { sendable } of batch) {
      if (sendable.queue !== undefined) queues.set(sendable.queue.name, sendable.queue)
    }
    let refused: Map<string, Error> | undefined
    for (const queue of queues.values()) {
      try {
        await this.#connection.declare(broker, queue)
      } catch (error) {
        if (isConnectionError(error)) throw error
        refused ??= new Map()
        refused.set(queue.name, toError(error))
      }
    }
    return refused
  }

  #fail(batch: readonly Pending[], error: unknown): number {
    // Refused before anything was sent, and perhaps for one of many only.
    if (error instanceof UnsupportedError && batch.length > 1) {
      this.#pending.putBackSingly(batch)
      return 0
    }
    const failed =
      error instanceof PublishError && error.indexes.length > 0 ? new Set(error.indexes) : undefined
    let waitMs = 0
    batch.forEach((pending, index) => {
      if (failed !== undefined && !failed.has(index)) pending.resolve()
      else waitMs = Math.max(waitMs, this.#retryOrReject(pending, error))
    })
    return waitMs
  }

  #retryOrReject(pending: Pending, error: unknown): number {
    const { policy } = pending
    const waitMs = retryWaitMs(policy, pending.retries)
    const retryable = error instanceof LovageError && error.retryable
    const inTime = this.#options.clock.now() + waitMs < pending.deadlineMs
    if (!pending.isRetried || !retryable || !inTime || pending.retries >= policy.maxRetries) {
      pending.reject(error)
      return 0
    }
    pending.retries += 1
    this.#pending.push(pending)
    return waitMs
  }
}

/** Whether it failed while this was waiting. */
function isOver(attempt: Attempt): boolean {
  return attempt.isOver
}

function isConnectionError(error: unknown): boolean {
  if (error instanceof BrokerConnectionError) return true
  return error instanceof PublishError && error.cause instanceof BrokerConnectionError
}

/** @source kombu 5.7, `kombu/utils/functional.py`, `retry_over_time`. */
function retryWaitMs(policy: RetryPolicy, retries: number): number {
  return Math.min(policy.intervalMaxMs, policy.intervalStartMs + policy.intervalStepMs * retries)
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve)
  })
}

/** How a call wants to be tried again, where it says so. */
export function policyOf({ retry, retryPolicy }: CallOptions): PublishOptions | undefined {
  if (retry === undefined && retryPolicy === undefined) return undefined
  return { ...(retry !== undefined && { retry }), ...(retryPolicy !== undefined && { retryPolicy }) }
}
