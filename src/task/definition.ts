import type { TaskContext } from './context.js'
import type { TaskOptions } from './options.js'
import type { Task } from './task-class.js'

/** A task as the worker sees it: a name, options, and a body that takes the context first. */
export interface TaskDefinition {
  readonly name: string
  readonly options: TaskOptions
  /** Fewest and most positional arguments; `most` is `Infinity` with a rest parameter. */
  readonly arity: Arity
  /** Run the plain body. */
  readonly body: (self: TaskContext, args: readonly unknown[]) => unknown
  /** The object whose method the body is, where that is a `Task`. */
  readonly instance?: Task
  /** The function as it was given, to tell a second definition from the same one loaded twice. */
  readonly source: unknown
  /** Where it was defined: `file:line`. */
  readonly place: string
}

/** Finds a task by its name. */
export type TaskLookup = Pick<ReadonlyMap<string, TaskDefinition>, 'get'>

/** How many positional arguments a body takes. */
export interface Arity {
  readonly least: number
  readonly most: number
}
