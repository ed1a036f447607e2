import type { ExtendedRecord, TaskRecord } from '../../backend/contract.js'
import type { TaskMessage } from '../../message/task-message.js'
import { toFailure } from '../../task/execute.js'
import type { Failure } from '../../task/outcome.js'
import type { StateUpdate } from '../../task/context.js'
import type { WorkerHost } from '../host.js'
import type { Job } from '../pool/pool.js'
import { Run } from '../run/run.js'
import type { WorkerSettings } from '../settings.js'
import type { Writable } from '../../util/writable.js'

/** What is stored, and for how long. */
export interface StoredResult {
  readonly record: TaskRecord
  /** 0 keeps it until forgotten. */
  readonly recordTtlMs: number
}

/** A record while it is being written. */
type Draft = Writable<TaskRecord>

/** A task with the routing key that brought it, which extended results hold. */
export interface PlacedTask extends TaskMessage {
  readonly routingKey?: string
}

/** Which task a record is about: the message where it could be read. */
export type About = PlacedTask | { readonly id: string; readonly replyTo?: string }

/** How a record ends a task; user states and RETRY do not. */
interface Ending {
  readonly state: string
  readonly result: unknown
  readonly children?: readonly unknown[]
  readonly traceback?: string
  readonly done: boolean
}

/** Longest text of an error or traceback, in characters: no store has room for texts of any length. */
const LONGEST_TEXT = 100_000
/** Longest description of an error, encoded, before it is cut to its message. */
const LONGEST_ERROR = 4 * LONGEST_TEXT

function cutText(text: string): string {
  if (text.length <= LONGEST_TEXT) return text
  return `${text.slice(0, LONGEST_TEXT)}… (${text.length - LONGEST_TEXT} more characters)`
}

const NO_CHILDREN: readonly unknown[] = []

/**
 * Builds the records of a worker in Celery's terms, each value encoded once, and stores those of states before the end.
 *
 * @source Celery 5.7, `celery/backends/base.py`, `_get_result_meta`.
 */
export class Records {
  readonly #host: WorkerHost
  readonly #settings: WorkerSettings
  readonly #worker: string

  constructor(host: WorkerHost, settings: WorkerSettings) {
    this.#host = host
    this.#settings = settings
    this.#worker = settings.hostname
  }

  /** The task returned `value`. @throws `EncodeError` when the result serializer cannot write it. */
  success(about: About, value: unknown, children: readonly unknown[]): StoredResult {
    const record = this.#draft(about, { state: 'SUCCESS', result: value, children, done: true })
    return { record, recordTtlMs: this.#settings.resultExpiresMs }
  }

  /** The task failed. */
  failure(about: About, failure: Failure, children: readonly unknown[] = NO_CHILDREN): StoredResult {
    return this.#described(about, failure, { state: 'FAILURE', children, done: true })
  }

  /** The task will be tried again. */
  retry(about: About, failure: Failure, children: readonly unknown[]): StoredResult {
    return this.#described(about, failure, { state: 'RETRY', children, done: false })
  }

  /** The task was revoked, or came too late. */
  revoked(about: About, error: Error): StoredResult {
    const { exception } = toFailure(error, this.#host)
    return {
      record: this.#draft(about, { state: 'REVOKED', result: exception, done: true }),
      recordTtlMs: this.#settings.resultExpiresMs,
    }
  }

  /** Store that the task has begun here. Never rejects: it runs all the same. */
  async storeStarted(run: Run): Promise<void> {
    const state = { state: 'STARTED', meta: { pid: process.pid, hostname: this.#worker } }
    try {
      await this.#storeState(run, state)
    } catch (error) {
      const { task, id } = run.request
      this.#host.logger.warn({ err: error, task, id }, 'STARTED could not be stored')
    }
  }

  /** Store a state of the user's own, as long as the body runs under its claim. @throws `EncodeError` for its `meta`. */
  async storeState(job: Job, update: StateUpdate): Promise<void> {
    if (job instanceof Run && job.isRunning) await this.#storeState(job, update)
  }

  async #storeState({ task, policy }: Run, { state, meta }: StateUpdate): Promise<void> {
    if (task.ignoreResult ?? policy.ignoreResult) return
    const record = this.#draft(task, { state, result: meta, done: false })
    await this.#host.backend?.store([record], { ttlMs: this.#settings.resultExpiresMs })
  }

  #described(about: About, failure: Failure, rest: Omit<Ending, 'result'>): StoredResult {
    const recordTtlMs = this.#settings.resultFailureExpiresMs
    const traced = failure.traceback === '' ? rest : { ...rest, traceback: cutText(failure.traceback) }
    const { exception, message } = failure
    try {
      const record = this.#draft(about, { ...traced, result: exception })
      if ((record.encoded?.data.length ?? 0) <= LONGEST_ERROR) return { record, recordTtlMs }
    } catch {
      // An argument of the error that the serializer refuses must not hide the failure.
      const plain = { ...exception, exc_message: [cutText(message)] }
      return { record: this.#draft(about, { ...traced, result: plain }), recordTtlMs }
    }
    const { exc_type, exc_module, exc_message } = exception
    const texts: readonly unknown[] = Array.isArray(exc_message) ? exc_message : []
    const first = texts.find((text) => typeof text === 'string') ?? message
    const short = { exc_type, exc_message: [cutText(first)], exc_module }
    return { record: this.#draft(about, { ...traced, result: short }), recordTtlMs }
  }

  #draft(about: About, ending: Ending): TaskRecord {
    const draft: Draft = {
      taskId: about.id,
      state: ending.state,
      result: ending.result,
      children: ending.children ?? NO_CHILDREN,
    }
    if (this.#host.codec !== undefined) draft.encoded = this.#host.codec.encode(ending.result)
    if (ending.traceback !== undefined) draft.traceback = ending.traceback
    if (ending.done) draft.doneAtMs = this.#host.clock.now()
    const replyTo = 'task' in about ? about.properties.replyTo : about.replyTo
    if (replyTo !== undefined) draft.replyTo = replyTo
    if ('task' in about) this.#addOrigin(draft, about)
    return draft
  }

  #addOrigin(draft: Draft, task: PlacedTask): void {
    const ownBackend = this.#host.tasks.get(task.task)?.options.backend
    if (ownBackend !== undefined) draft.ownBackend = ownBackend
    if (task.groupId !== undefined) draft.groupId = task.groupId
    if (task.parentId !== undefined) draft.parentId = task.parentId
    if (this.#settings.resultExtended) draft.extended = this.#extended(task)
  }

  #extended(task: PlacedTask): ExtendedRecord {
    const stamped =
      task.stampedHeaders === undefined ? {} : { stampedHeaders: task.stampedHeaders, stamps: task.stamps }
    return {
      name: task.task,
      args: task.args,
      kwargs: task.kwargs,
      worker: this.#worker,
      retries: task.retries,
      ...(task.routingKey === undefined ? {} : { queue: task.routingKey }),
      ...stamped,
    }
  }
}
