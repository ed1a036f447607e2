import type { DurationInput } from '../util/duration.js'

/** What `get` tells its `onProgress`: a state that the task has reached. */
export interface ProgressUpdate {
  /** The task's id. */
  readonly id: string
  /** For example `STARTED`, `PROGRESS`, `SUCCESS`. */
  readonly state: string
  /** The state's metadata, the return value, or the error. */
  readonly info: unknown
}

/** How to wait for a result. */
export interface GetOptions {
  /**
   * Longest wait: seconds, or an object that names its unit (`{ minutes: 5 }`); 0 looks once.
   *
   * @defaultValue `Infinity`
   */
  readonly timeout?: DurationInput
  /** Ends the wait early with the signal's reason; the task goes on. */
  readonly signal?: AbortSignal
  /**
   * Throw the error of a task that failed; `false` returns it.
   *
   * @defaultValue `true`
   */
  readonly propagate?: boolean
  /** Called at every state that is seen, the last one included; a state that passes quickly may not be seen. */
  readonly onProgress?: (update: ProgressUpdate) => void
  /**
   * Refuse to wait inside of a task.
   *
   * @defaultValue `true`
   */
  readonly disableSyncSubtasks?: boolean
}

/** {@link GetOptions} that return the error of a task in place of throwing it. */
export interface GetWithoutThrowing extends GetOptions {
  readonly propagate: false
}

/** Celery's nested form of a result: `[[id, parent], null]`. */
export type ResultTuple = readonly [readonly [id: string, parent: ResultTuple | null], null]

/** How long to wait for the task to be ready. */
export type WaitOptions = Pick<GetOptions, 'timeout' | 'signal'>

/** What every kind of result offers. It is not thenable: awaiting a call gives the handle, never the value. */
export interface ResultHandle<Value = unknown> {
  /** The task's id. */
  readonly id: string
  /** The same as `id`. */
  readonly taskId: string
  /** The task's name: known where the task was called, elsewhere once a stored name was loaded. */
  readonly taskName: string | undefined
  /** The result that this one follows in a chain. */
  readonly parent: ResultHandle | undefined
  /** The value, or the error, once this handle has seen the end of the task; `undefined` before. */
  readonly result: Value | Error | undefined
  /** The task's state; `PENDING` also for an id that nobody knows. */
  state(): Promise<string>
  /** The same as `state`. */
  status(): Promise<string>
  /** Whether the task has ended, one way or another. */
  ready(): Promise<boolean>
  /** Whether the task has returned. */
  successful(): Promise<boolean>
  /** Whether the task has failed. */
  failed(): Promise<boolean>
  /**
   * Wait for the task to end and return its value; at once when the end was seen before.
   *
   * The task is never affected by who waits for it.
   *
   * @param options - How long to wait, in seconds, or more than that.
   * @throws {@link TimeoutError} when the time is up; a later `get` can succeed.
   * @throws {@link TaskRevokedError} when the task was revoked or expired.
   * @throws what the task threw, rebuilt where its class is known, else {@link TaskFailedError}.
   */
  get(options: GetWithoutThrowing): Promise<Value | Error>
  get(options?: number | GetOptions): Promise<Value>
  /** The state's metadata, the return value, or the error. */
  info(): Promise<unknown>
  /** The worker's stack of a task that failed or retries. */
  traceback(): Promise<string | undefined>
  /** What the task called. Members of a group stand in its place. */
  children(): Promise<readonly ResultHandle[]>
  /** When the task ended. */
  dateDone(): Promise<Date | undefined>
  /** Whether anything is stored for the id: tells a task that runs or ended from an unknown one. */
  exists(): Promise<boolean>
  /** Arguments the task ran with, where extended results are stored. */
  args(): Promise<unknown>
  /** Keyword arguments the task ran with, where extended results are stored. */
  kwargs(): Promise<unknown>
  /** Node name of the worker, where extended results are stored. */
  worker(): Promise<string | undefined>
  /** Retries of the task, where extended results are stored. */
  retries(): Promise<number | undefined>
  /** The message's routing key, where extended results are stored. */
  queue(): Promise<string | undefined>
  /** Delete what is stored. */
  forget(): Promise<void>
  /**
   * Call `callback` when the task has ended.
   *
   * @returns Settles after the callback; rejects when the wait fails.
   */
  onReady(callback: (result: ResultHandle<Value>) => void, options?: WaitOptions): Promise<void>
  /** Celery's form of a result, which JSON can hold. */
  asTuple(): ResultTuple
}
