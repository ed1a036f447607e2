import { pythonRepr } from '../../message/python-repr.js'
import type { Outcome } from '../../task/outcome.js'
import { silentLogger, type TaskLogger } from '../../task/logger.js'
import type { Run } from './run.js'

const SHOWN_CHARACTERS = 200

/**
 * The worker's lines about tasks, in Celery's words, with the facts as fields.
 *
 * @source Celery 5.7, `celery/worker/strategy.py`, `celery/app/trace.py`.
 */
export class TaskLog {
  readonly #logger: TaskLogger
  readonly #levelTest: ((level: string) => boolean) | undefined

  constructor(logger: TaskLogger) {
    this.#logger = logger
    this.#levelTest = levelTest(logger)
  }

  /** A delivery will run here. */
  received(run: Run): void {
    if (!this.#shows('info')) return
    const { task, id } = run.request
    this.#logger.info(this.#fields(run), `Task ${nameOf(run)}[${id}] received`)
    if (run.delivery.redelivered) {
      this.#logger.debug({ task, id, deliveries: run.delivery.deliveryCount }, 'it was handed out before')
    }
  }

  /** A run has ended. */
  ended(run: Run, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'success':
        if (this.#shows('info')) this.#succeeded(run, outcome.value)
        return
      case 'failure':
        this.#failed(run, outcome)
        return
      case 'retry':
        this.#say(run, 'info', `retry: Retry ${delayText(outcome.retry)}: ${outcome.retry.failure.message}`)
        return
      case 'ignore':
        this.#say(run, 'info', outcome.reason === undefined ? 'ignored' : `ignored: ${outcome.reason}`)
        return
      case 'reject':
        this.#say(
          run,
          'warn',
          `rejected requeue=${outcome.requeue ? 'True' : 'False'}: ${outcome.reason ?? ''}`,
        )
    }
  }

  /** Its connection was lost, and its message came back: it goes on under the new claim. */
  resumed(run: Run): void {
    this.#say(run, 'info', 'goes on: its message came back after the connection was lost')
  }

  /** It ended while the connection was lost. */
  waits(run: Run): void {
    this.#say(
      run,
      'warn',
      'ended while the connection was lost: its outcome is written if its message comes back here',
    )
  }

  /** It starts beside nothing else. */
  suspected(run: Run, losses: number): void {
    const times = losses === 1 ? 'once' : `${losses} times`
    this.#say(run, 'warn', `starts with nothing beside it: the worker that had it was lost ${times}`)
  }

  /** The claim was lost before the end could be written: somebody else runs the task. */
  lost(run: Run): void {
    this.#say(run, 'warn', 'lost its claim: what it did here is not stored, another worker has it')
  }

  /** It goes back to its queue because the worker ends. */
  handedBack(run: Run): void {
    this.#say(
      run,
      'warn',
      run.acked ? 'was interrupted and had been acknowledged early: it is lost' : 'goes back to its queue',
    )
  }

  #succeeded(run: Run, value: unknown): void {
    const seconds = toSeconds(run.tookMs)
    const shown = pythonRepr(value, SHOWN_CHARACTERS)
    this.#logger.info(
      { ...this.#fields(run), runtime: seconds },
      `Task ${nameOf(run)}[${run.request.id}] succeeded in ${seconds}s: ${shown}`,
    )
  }

  #failed(run: Run, { failure, expected }: Extract<Outcome, { kind: 'failure' }>): void {
    const fields = { ...this.#fields(run), runtime: toSeconds(run.tookMs) }
    if (expected) {
      this.#logger.info(fields, `Task ${nameOf(run)}[${run.request.id}] raised expected: ${failure.message}`)
      return
    }
    const err = failure.error instanceof Error ? { err: failure.error } : {}
    this.#logger.error(
      { ...fields, ...err, traceback: failure.traceback },
      `Task ${nameOf(run)}[${run.request.id}] raised unexpected: ${failure.message}`,
    )
  }

  #say(run: Run, level: 'info' | 'warn', text: string): void {
    if (!this.#shows(level)) return
    this.#logger[level](this.#fields(run), `Task ${nameOf(run)}[${run.request.id}] ${text}`)
  }

  #fields(run: Run): object {
    const { task, id, retries } = run.request
    return { task, id, queue: run.delivery.queue, ...(retries > 0 ? { retries } : {}) }
  }

  #shows(level: string): boolean {
    return this.#levelTest === undefined ? this.#logger !== silentLogger : this.#levelTest(level)
  }
}

/** To the microsecond. */
function toSeconds(ms: number): number {
  return Math.round(ms * 1000) / 1e6
}

function nameOf(run: Run): string {
  return run.request.shadow ?? run.request.task
}

function delayText(retry: { readonly countdownMs?: number; readonly etaMs?: number }): string {
  if (retry.etaMs !== undefined) return `at ${new Date(retry.etaMs).toISOString()}`
  return `in ${(retry.countdownMs ?? 0) / 1000}s`
}

/** pino's way to ask; a logger without it gets every line. */
function levelTest(logger: TaskLogger): ((level: string) => boolean) | undefined {
  const test: unknown = Reflect.get(logger, 'isLevelEnabled')
  return typeof test === 'function' ? (level) => Reflect.apply(test, logger, [level]) === true : undefined
}
