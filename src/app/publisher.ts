import type { Broker, Outgoing } from '../broker/contract.js'
import { readRetryPolicy, type RetryPolicy } from '../config/value/task-settings.js'
import { BrokerConnectionError, LovageError, PublishError } from '../errors/errors.js'
import type { PublishOptions } from '../task/sender.js'
import type { Clock } from '../util/clock.js'

/** Where the publisher gets its connection from. */
export interface PublishConnection {
  /** Connected and ready; rejects with a `BrokerConnectionError` when it cannot be. */
  get(): Promise<Broker>
  /** The connection failed: the next `get` opens another. */
  discard(broker: Broker): Promise<void>
}

/** How the publisher behaves unless a call says otherwise. */
export interface PublisherOptions {
  readonly retry: boolean
  readonly retryPolicy: RetryPolicy
  /** Longest time from the call to the confirmation or the error. */
  readonly timeoutMs: number
  readonly clock: Clock
}

interface Pending {
  readonly outgoing: Outgoing
  readonly isRetried: boolean
  readonly policy: RetryPolicy
  readonly deadlineMs: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  retries: number
}

/**
 * Publishes with confirmation. Calls of one turn of the event loop, and those made while a batch is under way, travel
 * together: one round trip for all of them, without a timer.
 */
export class Publisher {
  readonly #connection: PublishConnection
  readonly #options: PublisherOptions
  // Owned by the flush loop once it has taken them.
  #pending: Pending[] = []
  #isFlushing = false

  constructor(connection: PublishConnection, options: PublisherOptions) {
    this.#connection = connection
    this.#options = options
  }

  /**
   * Resolves when the broker has the message.
   *
   * @throws `ConfigError` for a retry policy that is none, before anything is sent.
   */
  publish(outgoing: Outgoing, options: PublishOptions = {}): Promise<void> {
    const { retry: isRetried = this.#options.retry, retryPolicy } = options
    return new Promise((resolve, reject) => {
      const policy =
        retryPolicy === undefined ? this.#options.retryPolicy : readRetryPolicy(retryPolicy, 'retryPolicy')
      const deadlineMs = this.#options.clock.now() + this.#options.timeoutMs
      this.#pending.push({ outgoing, isRetried, policy, deadlineMs, resolve, reject, retries: 0 })
      if (this.#isFlushing) return
      this.#isFlushing = true
      void this.#flushAll()
    })
  }

  /** Never rejects: every error goes to the calls it belongs to. */
  async #flushAll(): Promise<void> {
    await Promise.resolve()
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      const waitMs = await this.#send(batch)
      if (waitMs > 0) await sleep(this.#options.clock, waitMs)
    }
    this.#isFlushing = false
  }

  /** Send one batch; resolves with how long to wait before what is to be tried again. */
  async #send(batch: readonly Pending[]): Promise<number> {
    let broker: Broker | undefined
    try {
      broker = await this.#connection.get()
      await broker.publish(batch.map((pending) => pending.outgoing))
      for (const pending of batch) pending.resolve()
      return 0
    } catch (error) {
      if (broker !== undefined && error instanceof BrokerConnectionError) await this.#discard(broker)
      return this.#fail(batch, error)
    }
  }

  async #discard(broker: Broker): Promise<void> {
    try {
      await this.#connection.discard(broker)
    } catch {
      // A connection that cannot even be closed is still replaced, and the calls have their own error.
    }
  }

  #fail(batch: readonly Pending[], error: unknown): number {
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

/** @source kombu 5.7, `kombu/utils/functional.py`, `retry_over_time`. */
function retryWaitMs(policy: RetryPolicy, retries: number): number {
  return Math.min(policy.intervalMaxMs, policy.intervalStartMs + policy.intervalStepMs * retries)
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve)
  })
}
