import type { Clock } from './clock.js'
import { withDeadline } from './deadline.js'

/** What a {@link Lifecycle} looks after. */
export interface LifecycleSubject {
  /** As in messages: `broker "redis"`. */
  readonly what: string
  readonly connect: (signal: AbortSignal) => Promise<void>
  /** Called once at most, also when `connect` never was. */
  readonly close: () => Promise<void>
  /** Longest connect, in milliseconds. */
  readonly connectTimeoutMs: number
  readonly clock: Clock
  /** Makes the error of a use that is refused. */
  readonly refused: (message: string) => Error
  /** Makes the error of a connect that took too long. */
  readonly late: (message: string) => Error
}

/** How long a connect may take to notice that it is ended. */
const ABORT_GRACE_MS = 500

interface Attempt {
  readonly stop: AbortController
  readonly outcome: Promise<void>
  /** Callers that still want it. */
  callers: number
}

/**
 * The life of a connection.
 *
 * - new → connecting: `connect`; callers that come while it is under way share its outcome.
 * - connecting → connected, or back to new when it failed: the next `connect` tries again.
 * - any → closed: `close`, for good; it ends a connect that is under way.
 */
export class Lifecycle {
  readonly #subject: LifecycleSubject
  #attempt: Attempt | undefined
  #connected = false
  #closing: Promise<void> | undefined

  constructor(subject: LifecycleSubject) {
    this.#subject = subject
  }

  /** Throws unless connected and not closed. */
  assertOpen(): void {
    if (this.#connected && this.#closing === undefined) return
    throw this.#refusal()
  }

  /** Connect, once. A caller whose signal aborts stops waiting; the connect ends when the last one has. */
  async connect(signal: AbortSignal): Promise<void> {
    if (this.#closing !== undefined) throw this.#refusal()
    if (this.#connected) return
    signal.throwIfAborted()
    this.#attempt ??= this.#start()
    const attempt = this.#attempt
    attempt.callers += 1
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        attempt.callers -= 1
        if (attempt.callers === 0) attempt.stop.abort(signal.reason)
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      attempt.outcome.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', onAbort)
      })
    })
  }

  /** Close, once; every call has the outcome of the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #start(): Attempt {
    const stop = new AbortController()
    const outcome = this.#run(stop).then(
      () => {
        this.#connected = true
      },
      (error: unknown) => {
        this.#attempt = undefined
        throw error
      },
    )
    return { stop, outcome, callers: 0 }
  }

  async #run(stop: AbortController): Promise<void> {
    const { what, connect, connectTimeoutMs: ms, clock, late } = this.#subject
    const makeLate = (): Error => {
      const error = late(`${what} was not connected within ${String(ms)} ms`)
      stop.abort(error)
      return error
    }
    const work = Promise.race([connect(stop.signal), this.#givenUp(stop.signal)])
    await withDeadline(work, { ms, clock, late: makeLate })
  }

  /** Rejects a while after the signal: a connect that does not listen to it is not waited for. */
  #givenUp(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const giveUp = (): void => reject(signal.reason)
      signal.addEventListener(
        'abort',
        () => void this.#subject.clock.setTimer(ABORT_GRACE_MS, giveUp, { unref: true }),
        { once: true },
      )
    })
  }

  async #close(): Promise<void> {
    const attempt = this.#attempt
    attempt?.stop.abort(this.#subject.refused(`${this.#subject.what} is closed`))
    // Its failure is told to those who called connect.
    await attempt?.outcome.catch(() => undefined)
    await this.#subject.close()
  }

  #refusal(): Error {
    const { what, refused } = this.#subject
    return refused(
      this.#closing === undefined ? `${what} is not connected; connect it first` : `${what} is closed`,
    )
  }
}
