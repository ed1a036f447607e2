import type { TaskLogger } from '../task/logger.js'
import type { Run } from './run.js'

/** What a {@link LagWatch} watches. */
export interface LagWatchOptions {
  readonly logger: TaskLogger
  /** Milliseconds that never jump. */
  readonly elapsedMs: () => number
  readonly running: () => ReadonlySet<Run>
}

const LOOK_EVERY_MS = 500
const BLOCKED_MS = 1_000
const NAMED = 3

/**
 * Notices that something kept the event loop from turning, and names the tasks that ran then: a body that computes for
 * long holds up all others of its worker.
 */
export class LagWatch {
  readonly #options: LagWatchOptions
  /** The longest run that ended since the last look: a body may block and be done before anybody can look. */
  #longest: Run | undefined
  #dueMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: LagWatchOptions) {
    this.#options = options
  }

  /** Begin to watch. */
  start(): void {
    this.#dueMs = this.#options.elapsedMs() + LOOK_EVERY_MS
    // Real time on purpose: a clock that tests move knows no lag.
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Stop watching. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** A run has ended. */
  ended(run: Run): void {
    if (run.tookMs >= BLOCKED_MS && run.tookMs > (this.#longest?.tookMs ?? 0)) this.#longest = run
  }

  #look(): void {
    const nowMs = this.#options.elapsedMs()
    const lagMs = nowMs - this.#dueMs
    this.#dueMs = nowMs + LOOK_EVERY_MS
    const longest = this.#longest
    this.#longest = undefined
    if (lagMs < BLOCKED_MS) return
    const since = nowMs - lagMs
    const suspects = [...this.#options.running()].filter(
      (run) => run.startedMs > 0 && run.startedMs <= nowMs - BLOCKED_MS / 2,
    )
    if (longest !== undefined && longest.startedMs + longest.tookMs >= since) suspects.unshift(longest)
    const named = suspects.slice(0, NAMED).map((run) => `${run.request.task}[${run.request.id}]`)
    this.#options.logger.warn(
      { lagMs: Math.round(lagMs), tasks: named },
      `The event loop was blocked for ${(lagMs / 1000).toFixed(1)} s${named.length === 0 ? '' : ` while these tasks ran: ${named.join(', ')}`}`,
    )
  }
}
