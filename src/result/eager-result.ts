import type { TaskRecord } from '../backend/contract.js'
import { TaskFailedError, UnsupportedError } from '../errors/errors.js'
import { systemClock } from '../util/clock.js'
import { AsyncResult } from './async-result.js'
import type { ResultSource } from './source.js'
import type { WaitForEndOptions } from './wait-for-end.js'

/** How a task that ran here ended. */
export interface EagerOutcome {
  /** The id it ran under. */
  readonly taskId: string
  readonly taskName: string
  /** `SUCCESS`, `FAILURE`, `RETRY`, or `IGNORED` and `REJECTED`, which nobody stores. */
  readonly state: string
  /** The return value. */
  readonly value?: unknown
  /** What the task threw. */
  readonly error?: unknown
  readonly traceback?: string | undefined
  /** Retries before the end. */
  readonly retries?: number
}

/**
 * The result of a task that ran in this process, without a broker; nothing is asked of a backend.
 *
 * It has every member of {@link AsyncResult}; it is always ready, and `get` never waits.
 *
 * @source Celery 5.7, `celery/result.py`, `EagerResult`.
 */
export class EagerResult<Value = unknown> extends AsyncResult<Value> {
  readonly #record: TaskRecord

  constructor(outcome: EagerOutcome) {
    super(outcome.taskId, { app: eagerSource(outcome), taskName: outcome.taskName })
    this.#record = {
      taskId: outcome.taskId,
      state: outcome.state,
      result: outcome.value,
      ...(outcome.traceback === undefined ? {} : { traceback: outcome.traceback }),
      children: [],
      doneAtMs: Date.now(),
      extended: {
        name: outcome.taskName,
        ...(outcome.retries === undefined ? {} : { retries: outcome.retries }),
      },
    }
  }

  override get result(): Value | Error | undefined {
    return this.valueOrError(this.#record)
  }

  /** Always true: the run is over, also when the task asked for a retry. */
  override async ready(): Promise<boolean> {
    return true
  }

  protected override async loadRecord(): Promise<TaskRecord> {
    return this.#record
  }

  protected override async waitForRecord(options: WaitForEndOptions): Promise<TaskRecord> {
    options.onRecord?.(this.#record)
    return this.#record
  }

  /** Nothing was stored. */
  protected override async forgetRecord(): Promise<void> {}
}

function eagerSource(outcome: EagerOutcome): ResultSource {
  const error = outcome.error instanceof Error ? outcome.error : thrownValue(outcome)
  return {
    clock: systemClock,
    toError: () => error,
    resultBackend: () =>
      Promise.reject(new UnsupportedError(`task ${outcome.taskId} ran eagerly; no backend knows it`)),
  }
}

/** JavaScript lets a task throw what is no error. */
function thrownValue(outcome: EagerOutcome): TaskFailedError {
  const remote = {
    type: typeof outcome.error,
    module: undefined,
    args: [outcome.error],
    traceback: outcome.traceback,
  }
  return new TaskFailedError(String(outcome.error), outcome.taskId, remote, { cause: outcome.error })
}
