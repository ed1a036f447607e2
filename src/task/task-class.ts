import type { Settings } from '../config/settings.js'
import { TaskError } from '../errors/errors.js'
import type { Retry } from '../errors/directives.js'
import { currentTask, type RetryOptions, type StateUpdate, type TaskContext } from './context.js'
import type { TaskHandlers, TaskOptions } from './options.js'
import type { TaskRequest } from './request.js'

/** The app, as a task that joins it sees it. */
export interface JoinedApp {
  /** Its name. */
  readonly main: string
  readonly conf: Settings
}

/** A class of tasks, abstract or not: what `base` and `app.Task` take. */
export type TaskClass = abstract new () => Task

/**
 * Base of tasks that are classes: write `run`, and handlers as methods; register one instance for each process.
 *
 * @example
 * ```ts
 * class Add extends Task {
 *   override readonly name = 'tasks.add'
 *   run(x: number, y: number): number {
 *     return x + y
 *   }
 * }
 * export const add = app.registerTask(new Add())
 * ```
 *
 * @source Celery 5.7, `celery/app/task.py`, `Task`.
 */
export abstract class Task {
  /** The name that travels; `<app main>.<class name>` when not set. */
  readonly name?: string
  /** Options, handlers apart. */
  readonly options?: Omit<TaskOptions, keyof TaskHandlers | 'name'>

  /** The body; with `base`, the function of each task stands in its place. */
  abstract run(...args: never[]): unknown

  /** Called when the task has joined an app: once for each app. */
  onBound?(app: JoinedApp): void

  /** The request of the run that this code belongs to. @throws `TaskError` outside of a run. */
  get request(): TaskRequest {
    return this.#context().request
  }

  /** Aborts on a time limit, a lost lease and the end of a shutdown's grace. */
  get signal(): AbortSignal {
    return this.#context().signal
  }

  /** Make the directive that retries the running task: `throw this.retry({ countdown: 10 })`. */
  retry(options?: RetryOptions): Retry {
    return this.#context().retry(options)
  }

  /** Store a state of the user's own for the running task. */
  async updateState(update: StateUpdate): Promise<void> {
    await this.#context().updateState(update)
  }

  #context(): TaskContext {
    const context = currentTask()
    if (context === undefined) throw new TaskError(`${this.constructor.name} is not running as a task here`)
    return context
  }
}

/**
 * The instance behind a task whose function was given with a `base`: made once, so that what it holds is made once.
 * Nothing is made of no base.
 *
 * @throws {@link TaskError} for a class that is no `Task`.
 */
export function instanceOf(base: TaskClass | undefined): Task | undefined {
  if (base === undefined) return undefined
  // An abstract class is one for the compiler alone: `run` is the function that comes with it.
  const made: unknown = typeof base === 'function' ? Reflect.construct(base, []) : undefined
  if (made instanceof Task) return made
  throw new TaskError(`expected base to be a class that extends Task, got: ${String(base)}`)
}

const HANDLERS = ['beforeStart', 'onSuccess', 'onRetry', 'onFailure', 'afterReturn'] as const

/** The options of a task class: its own, and its methods named like handlers. */
export function optionsOf(task: Task): TaskOptions {
  const handlers: Record<string, unknown> = {}
  for (const name of HANDLERS) {
    const method: unknown = Reflect.get(task, name)
    if (typeof method === 'function') handlers[name] = method.bind(task)
  }
  return { ...task.options, ...(task.name === undefined ? {} : { name: task.name }), ...handlers }
}
