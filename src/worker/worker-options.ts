import type { TaskLogger } from '../task/logger.js'
import type { DurationInput } from '../util/duration.js'

/** How one worker differs from its app's settings; the command line's options are these. */
export interface WorkerOptions {
  /**
   * Tasks at once.
   *
   * @defaultValue `workerConcurrency`, else 10 for the async pool and 1 for solo
   */
  readonly concurrency?: number
  /**
   * Names of the queues to consume.
   *
   * @defaultValue all of `taskQueues`, else the default queue
   */
  readonly queues?: readonly string[]
  /** Queues to leave out. */
  readonly excludeQueues?: readonly string[]
  /**
   * Node name, with `%h`, `%n` and `%d` for the parts of the host's name.
   *
   * @defaultValue `celery@%h`
   */
  readonly hostname?: string
  /**
   * `async` or `solo`.
   *
   * @defaultValue `workerPool`, else `async`
   */
  readonly pool?: string
  /**
   * Bounds claims by this times the concurrency; 1 claims into free slots only, 0 sets no bound beside the read-ahead.
   *
   * @defaultValue `workerPrefetchMultiplier`
   */
  readonly prefetchMultiplier?: number
  /**
   * How long running tasks may go on after the first signal.
   *
   * @defaultValue `shutdownTimeout`
   */
  readonly shutdownTimeout?: DurationInput
  /**
   * Takes the worker's lines; anything with pino's methods.
   *
   * @defaultValue the app's logger
   */
  readonly logger?: TaskLogger
  /** Drop every waiting message of the consumed queues before the first claim. */
  readonly purge?: boolean
}

/** How to stop. */
export interface StopOptions {
  /** Give running tasks back at once in place of letting them finish: what a second signal asks for. */
  readonly hard?: boolean
}

/** A task that was running when the worker ended. */
export interface InterruptedTask {
  readonly id: string
  readonly task: string
  readonly queue: string
  /** Whether its message went back to the queue; `false` where it had been acknowledged early, or the broker was gone. */
  readonly handedBack: boolean
}

/** How a worker ended. */
export interface WorkerExit {
  /** `stopped`: as asked. `failed`: it could not go on, and `error` says why. */
  readonly reason: 'stopped' | 'failed'
  /** What made it fail, or what went wrong while it stopped. */
  readonly error?: Error
  /** Tasks that did not end in time. */
  readonly interrupted: readonly InterruptedTask[]
  /** Bodies that were still going on after a hard time limit. */
  readonly leftover: number
}
