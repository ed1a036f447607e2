import type { TaskLogger } from '../../task/logger.js'
import type { Run } from './run.js'

/** What a {@link EventLoopMonitor} watches. */
export interface EventLoopMonitorOptions {
  readonly logger: TaskLogger
  /** Milliseconds that never jump. */
  readonly elapsedMs: () => number
  readonly running: ReadonlySet<Run>
  /** Told whenever the loop turns while bodies run. */
  readonly beat: () => void
}

const LOOK_EVERY_MS = 250
/** Lateness of a look that is told of: with the time between looks, every block of a second is. */
const LATE_MS = 750
const NAMED = 3

/**
 * Notices that something kept the event loop from turning, and names the tasks that ran then: a body that computes for
 * long holds up all others of its worker.
 */
export class EventLoopMonitor {
  readonly #options: EventLoopMonitorOptions
  /** The longest run that ended since the last look: a body may block and be done before anybody can look. */
  #longest: Run | undefined
  #dueMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: EventLoopMonitorOptions) {
    this.#options = options
  }

  /** Runs began: watch for as long as there are some, so that an idle worker sleeps. */
  begin(): void {
    if (this.#timer !== undefined) return
    this.#dueMs = this.#options.elapsedMs() + LOOK_EVERY_MS
    this.#options.beat()
    // Real time on purpose: a clock that tests move knows no lag.
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Stop watching. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** A run has ended. */
  ended(run: Run): void {
    if (run.tookMs >= LATE_MS && run.tookMs > (this.#longest?.tookMs ?? 0)) this.#longest = run
  }

  #look(): void {
    this.#options.beat()
    const nowMs = this.#options.elapsedMs()
    const lagMs = nowMs - this.#dueMs
    this.#dueMs = nowMs + LOOK_EVERY_MS
    const longest = this.#longest
    this.#longest = undefined
    if (this.#options.running.size === 0) this.stop()
    if (lagMs < LATE_MS) return
    const since = nowMs - lagMs
    const suspects = [...this.#options.running].filter(
      (run) => run.startedMs > 0 && run.startedMs <= nowMs - LATE_MS / 2,
    )
    if (longest !== undefined && longest.startedMs + longest.tookMs >= since) suspects.unshift(longest)
    const named = suspects.slice(0, NAMED).map((run) => `${run.request.task}[${run.request.id}]`)
    this.#options.logger.warn(
      { lagMs: Math.round(lagMs), tasks: named },
      `The event loop was blocked for ${(lagMs / 1000).toFixed(1)} s${named.length === 0 ? '' : ` while these tasks ran: ${named.join(', ')}`}`,
    )
  }
}
