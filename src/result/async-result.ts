import type { ExtendedRecord, TaskRecord } from '../backend/contract.js'
import { assertMayJoin } from './allow-join.js'
import type {
  GetOptions,
  GetWithoutThrowing,
  ResultHandle,
  ResultTuple,
  WaitOptions,
} from './result-handle.js'
import { flattenGroups, parseTuples, taskTuple, type ParsedTuple } from './result-tuple.js'
import type { ResultSource } from './source.js'
import { EXCEPTION_STATES, isReady, PENDING, PROPAGATE_STATES, SUCCESS } from './states.js'
import { waitForEnd, type WaitForEndOptions } from './wait-for-end.js'
import { AppWith, internalsOf } from '../util/internals.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** What a handle is made of, beside the id. */
export interface AsyncResultOptions {
  /** The app whose results are read, or what reads them. */
  readonly app: AppWith<ResultSource> | ResultSource
  /** The task's name, where it is known. */
  readonly taskName?: string | undefined
  /** The result this one follows. */
  readonly parent?: ResultHandle | undefined
  /** When this process sent the task, in epoch milliseconds, if it was this one. */
  readonly sentAtMs?: number
}

const RESULT_OPTIONS = {
  app: true,
  taskName: true,
  parent: true,
  sentAtMs: true,
} satisfies KnownMembers<AsyncResultOptions>
const WAIT_OPTIONS = { timeout: true, signal: true } satisfies KnownMembers<WaitOptions>
const GET_OPTIONS = {
  ...WAIT_OPTIONS,
  propagate: true,
  onProgress: true,
  disableSyncSubtasks: true,
} satisfies KnownMembers<GetOptions>

/** A task that was sent longer ago than this may well have ended. */
const FRESH_MS = 5

/**
 * The handle of a task that was sent, from any process, by its id alone.
 *
 * It holds no connection and no timer. Once it has seen the task's end it asks no more.
 *
 * @source Celery 5.7, `celery/result.py`, `AsyncResult`.
 */
export class AsyncResult<Value = unknown> implements ResultHandle<Value> {
  readonly id: string
  readonly parent: ResultHandle | undefined
  readonly #app: ResultSource
  readonly #sentAtMs: number
  #taskName: string | undefined
  #end: TaskRecord | undefined
  #error: Error | undefined

  constructor(id: string, options: AsyncResultOptions) {
    refuseUnknown(options, RESULT_OPTIONS, 'an AsyncResult')
    this.id = id
    this.parent = options.parent
    this.#app = options.app instanceof AppWith ? internalsOf(options.app) : options.app
    this.#sentAtMs = options.sentAtMs ?? Number.NEGATIVE_INFINITY
    this.#taskName = options.taskName
  }

  get taskId(): string {
    return this.id
  }

  get taskName(): string | undefined {
    return this.#taskName
  }

  get result(): Value | Error | undefined {
    return this.#end === undefined ? undefined : this.valueOrError(this.#end)
  }

  async state(): Promise<string> {
    return (await this.#load())?.state ?? PENDING
  }

  async status(): Promise<string> {
    return this.state()
  }

  async ready(): Promise<boolean> {
    return isReady(await this.state())
  }

  async successful(): Promise<boolean> {
    return (await this.state()) === SUCCESS
  }

  async failed(): Promise<boolean> {
    return (await this.state()) === 'FAILURE'
  }

  get(options: GetWithoutThrowing): Promise<Value | Error>
  get(options?: number | GetOptions): Promise<Value>
  async get(options: number | GetOptions = {}): Promise<Value | Error> {
    const asked = typeof options === 'number' ? { timeout: options } : options
    refuseUnknown(asked, GET_OPTIONS, 'get')
    if (asked.disableSyncSubtasks !== false) assertMayJoin(this.id)
    const record = await this.#waitForEnd(asked, asked.onProgress)
    if (PROPAGATE_STATES.has(record.state) && asked.propagate !== false) throw this.#errorOf(record)
    return this.valueOrError(record)
  }

  async info(): Promise<unknown> {
    const record = await this.#load()
    return record === undefined ? undefined : this.#infoOf(record)
  }

  async traceback(): Promise<string | undefined> {
    return (await this.#load())?.traceback
  }

  async children(): Promise<readonly AsyncResult[]> {
    const record = await this.#load()
    return flattenGroups(parseTuples(record?.children ?? [])).map((tuple) => fromTuple(tuple, this.#app))
  }

  async dateDone(): Promise<Date | undefined> {
    const doneAtMs = (await this.#load())?.doneAtMs
    return doneAtMs === undefined ? undefined : new Date(doneAtMs)
  }

  async exists(): Promise<boolean> {
    return (await this.#load()) !== undefined
  }

  async args(): Promise<unknown> {
    return (await this.#extended()).args
  }

  async kwargs(): Promise<unknown> {
    return (await this.#extended()).kwargs
  }

  async worker(): Promise<string | undefined> {
    return (await this.#extended()).worker
  }

  async retries(): Promise<number | undefined> {
    return (await this.#extended()).retries
  }

  async queue(): Promise<string | undefined> {
    return (await this.#extended()).queue
  }

  async forget(): Promise<void> {
    this.#end = undefined
    this.#error = undefined
    await this.forgetRecord()
  }

  async onReady(callback: (result: AsyncResult<Value>) => void, options: WaitOptions = {}): Promise<void> {
    refuseUnknown(options, WAIT_OPTIONS, 'onReady')
    await this.#waitForEnd(options, undefined)
    callback(this)
  }

  asTuple(): ResultTuple {
    return taskTuple(this.id, this.parent?.asTuple())
  }

  /** Read the record, however often it is asked for. */
  protected async loadRecord(): Promise<TaskRecord | undefined> {
    const backend = await this.#app.resultBackend()
    return (await backend.load([this.id])).get(this.id)
  }

  /** Wait for the last record. */
  protected waitForRecord(options: WaitForEndOptions): Promise<TaskRecord> {
    return waitForEnd(this.#app, this.id, options)
  }

  /** Delete the record. */
  protected async forgetRecord(): Promise<void> {
    const backend = await this.#app.resultBackend()
    await backend.forget([this.id])
  }

  async #load(): Promise<TaskRecord | undefined> {
    if (this.#end !== undefined) return this.#end
    const record = await this.loadRecord()
    if (record !== undefined) this.#saw(record)
    return record
  }

  async #waitForEnd(options: WaitOptions, onProgress: GetOptions['onProgress']): Promise<TaskRecord> {
    if (this.#end !== undefined) return this.#end
    const record = await this.waitForRecord({
      ...options,
      isFresh: this.#app.clock.now() - this.#sentAtMs < FRESH_MS,
      onRecord: (seen) => onProgress?.({ id: this.id, state: seen.state, info: this.#infoOf(seen) }),
    })
    this.#saw(record)
    return record
  }

  #saw(record: TaskRecord): void {
    this.#taskName ??= record.extended?.name
    if (isReady(record.state)) this.#end = record
  }

  async #extended(): Promise<ExtendedRecord> {
    return (await this.#load())?.extended ?? {}
  }

  #infoOf(record: TaskRecord): unknown {
    return EXCEPTION_STATES.has(record.state) ? this.#errorOf(record) : record.result
  }

  /** What `get` gives for a record. */
  protected valueOrError(record: TaskRecord): Value | Error {
    if (EXCEPTION_STATES.has(record.state)) return this.#errorOf(record)
    // The worker ran the function that `Value` was inferred from; nothing else says what was stored.
    return record.result as Value
  }

  /** One error object for one failure, so that those who wait can compare. */
  #errorOf(record: TaskRecord): Error {
    if (this.#end !== record) return this.#app.toError(record)
    this.#error ??= this.#app.toError(record)
    return this.#error
  }
}

/** The handle of a result in Celery's nested form, with the results it follows. */
function fromTuple(tuple: ParsedTuple, app: ResultSource): AsyncResult {
  const parent = tuple.parent === undefined ? undefined : fromTuple(tuple.parent, app)
  return new AsyncResult(tuple.id, { app, parent })
}
