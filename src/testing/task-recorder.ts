import type { Lovage } from '../app/app.js'
import type { Execution } from '../app/internals.js'
import { TaskError } from '../errors/errors.js'
import type { Outcome } from '../task/outcome.js'
import type { PreparedCall } from '../task/sender.js'
import { leastOf } from '../util/long-list.js'
import { internalsOf } from '../util/internals.js'

/** One call that was sent, as far as a test asks about it. */
export interface EnqueuedTask {
  readonly id: string
  /** The task's name. */
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  /** The routing key: the queue's name, unless exchanges are used. */
  readonly queue: string
  readonly priority: number | undefined
  /** Earliest start. */
  readonly eta: Date | undefined
  /** Moment after which it must not start. */
  readonly expires: Date | undefined
  /** The caller's own headers. */
  readonly headers: Readonly<Record<string, unknown>>
}

/** A point that a task has reached. */
export interface TaskPassage {
  readonly id: string
  /** The task's name. */
  readonly task: string
  readonly args: readonly unknown[]
  /** `SENT`, `STARTED`, `SUCCESS`, `FAILURE`, `RETRY`, `IGNORED`, `REJECTED`. */
  readonly state: string
  /** The return value, or the error. */
  readonly value: unknown
}

/** Told of each passage as it happens. */
export type PassageListener = (passage: TaskPassage) => void

/** Moments at which what was sent falls due, in epoch milliseconds. */
type DueMoments = readonly number[]

/** What one app has sent and run, in order. */
export class TaskRecorder {
  readonly #app: Lovage
  readonly #enqueued = new Map<string, EnqueuedTask>()
  readonly #passages: TaskPassage[] = []
  readonly #queues = new Set<string>()
  readonly #listeners = new Set<PassageListener>()
  #due: DueMoments = []

  constructor(app: Lovage) {
    this.#app = app
    internalsOf(app).around.publish.push(async (call, next) => {
      await next(call)
      this.#sent(call)
    })
    internalsOf(app).around.execute.push(async (execution, next) => {
      this.#started(execution)
      const outcome = await next(execution)
      this.#ended(execution, outcome)
      return outcome
    })
  }

  /** What was sent and has not been started here. */
  get enqueued(): readonly EnqueuedTask[] {
    return [...this.#enqueued.values()]
  }

  /** Names of the queues that were sent to. */
  get queues(): ReadonlySet<string> {
    return this.#queues
  }

  /** Everything that happened so far. */
  get passages(): readonly TaskPassage[] {
    return this.#passages
  }

  /** The next moment at which something falls due, in epoch milliseconds; `undefined` when nothing is delayed. */
  nextDueMs(): number | undefined {
    this.#due = this.#due.filter((dueMs) => dueMs > internalsOf(this.#app).clock.now())
    return this.#due.length === 0 ? undefined : leastOf(this.#due)
  }

  /** Be told of what happens from now on, until the returned function is called. */
  listen(listener: PassageListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #sent({ task, outgoing }: PreparedCall): void {
    const { exchange, routingKey } = outgoing.route
    // Through an exchange of another name, the key may be bound to any queue.
    if (exchange === '' || exchange === routingKey) this.#queues.add(routingKey)
    const entry: EnqueuedTask = {
      id: task.id,
      task: task.task,
      args: task.args,
      kwargs: task.kwargs,
      queue: routingKey,
      priority: task.properties.priority,
      eta: toDate(task.etaMs),
      expires: toDate(task.expiresMs),
      headers: task.headers ?? {},
    }
    // A worker in this process may have been faster than the confirmation.
    const started = this.#passages.some(({ id, state }) => id === task.id && state === 'STARTED')
    if (!started) this.#enqueued.set(task.id, entry)
    if (task.etaMs !== undefined) this.#due = [...this.#due, task.etaMs]
    this.#note({ id: task.id, task: task.task, args: task.args, state: 'SENT', value: undefined })
  }

  #started({ request }: Execution): void {
    this.#enqueued.delete(request.id)
    this.#note({ id: request.id, task: request.task, args: request.args, state: 'STARTED', value: undefined })
  }

  #ended({ request }: Execution, outcome: Outcome): void {
    if (outcome.kind === 'retry') {
      const { etaMs, countdownMs = 0 } = outcome.retry
      this.#due = [...this.#due, etaMs ?? internalsOf(this.#app).clock.now() + countdownMs]
    }
    this.#note({ id: request.id, task: request.task, args: request.args, ...endOf(outcome) })
  }

  #note(passage: TaskPassage): void {
    this.#passages.push(passage)
    for (const listener of [...this.#listeners]) listener(passage)
  }
}

const recorders = new WeakMap<Lovage, TaskRecorder>()

/** Note what this app sends and runs from now on; a {@link TestApp} does so by itself. */
export function recordTasks(app: Lovage): TaskRecorder {
  const recorder = recorders.get(app) ?? new TaskRecorder(app)
  recorders.set(app, recorder)
  return recorder
}

/**
 * What was noted of an app.
 *
 * @throws {@link TaskError} when nobody asked for notes before: an empty answer would be a wrong one.
 */
export function recorderOf(app: Lovage): TaskRecorder {
  const recorder = recorders.get(app)
  if (recorder !== undefined) return recorder
  throw new TaskError(
    'nothing was noted of this app; make it a TestApp, or call recordTasks(app) before it sends',
  )
}

function endOf(outcome: Outcome): Pick<TaskPassage, 'state' | 'value'> {
  switch (outcome.kind) {
    case 'success':
      return { state: 'SUCCESS', value: outcome.value }
    case 'failure':
      return { state: 'FAILURE', value: outcome.failure.error ?? outcome.failure.exception }
    case 'retry':
      return { state: 'RETRY', value: outcome.retry.failure.error ?? outcome.retry.failure.exception }
    case 'ignore':
      return { state: 'IGNORED', value: undefined }
    case 'reject':
      return { state: 'REJECTED', value: undefined }
  }
}

function toDate(moment: number | undefined): Date | undefined {
  return moment === undefined ? undefined : new Date(moment)
}
