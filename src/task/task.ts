import type { Signature } from '../canvas/signature.js'
import type { BrokerConnectionError } from '../errors/errors.js'
import type { AsyncResult } from '../result/async-result.js'
import type { EagerResult } from '../result/eager-result.js'
import type { CallOptions, Link } from './call-options.js'
import type { TaskContext } from './context.js'
import type { TaskDefinition } from './definition.js'

/** Options of `applyAsync`: those of a call, and keyword arguments. */
export interface ApplyOptions extends CallOptions {
  /** Keyword arguments: bound by name where the task declares `params`, one trailing object otherwise. */
  readonly kwargs?: Readonly<Record<string, unknown>>
}

/** Options of `apply`, which runs here. */
export interface EagerOptions {
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Throw the task's error in place of keeping it in the result. Default: `taskEagerPropagates`. */
  readonly throw?: boolean
  /** Own task id. */
  readonly taskId?: string
  /** Retries so far. Default 0. */
  readonly retries?: number
  /** Called, eagerly too, with the return value on success. */
  readonly link?: Link
  /** Called, eagerly too, with the id of the failed task. */
  readonly linkError?: Link
}

/** A list of arguments of which the last ones may be left for later. */
export type PartialArgs<Args extends readonly unknown[]> = Args extends readonly [infer First, ...infer Rest]
  ? readonly [] | readonly [First, ...PartialArgs<Rest>] | readonly [...Rest]
  : readonly unknown[]

/**
 * A task: still its function, with everything a task can do on it.
 *
 * Members are function-typed properties, not methods, so that argument types are compared strictly.
 */
export interface CallableTask<Args extends readonly unknown[], Result> {
  /** Run the function here and now; nothing is sent. */
  (...args: Args): Result
  /** The name that travels. */
  readonly name: string
  /** The plain body, the same as calling the task. */
  readonly run: (...args: Args) => Result
  /**
   * Send the task to a worker.
   *
   * @returns A handle of the result, as soon as the broker has confirmed the message.
   * @throws `TaskArgumentsError`, `EncodeError`, `BrokerConnectionError`, `PublishError`.
   */
  readonly delay: (...args: Args) => Promise<AsyncResult<Awaited<Result>>>
  /** Send the task with options. Same promise and errors as `delay`. */
  readonly applyAsync: (args: Args, options?: ApplyOptions) => Promise<AsyncResult<Awaited<Result>>>
  /** Send one task for each list of arguments, in as few round trips as the broker allows. */
  readonly bulk: (
    calls: readonly Args[],
    options?: ApplyOptions,
  ) => Promise<readonly AsyncResult<Awaited<Result>>[]>
  /**
   * The same calls as part of a transaction of the application's (a Knex transaction) on a SQL broker: what is sent exists
   * when the transaction commits, and never when it is rolled back. Nothing is tried again by itself.
   */
  readonly with: (transaction: object) => Pick<CallableTask<Args, Result>, 'delay' | 'applyAsync' | 'bulk'>
  /** Run here as a worker would: serialisation, context, retries, handlers; no broker. */
  readonly apply: (args: Args, options?: EagerOptions) => Promise<EagerResult<Awaited<Result>>>
  /** A signature with these arguments; what calls it puts its own before them. */
  readonly s: (...args: PartialArgs<Args>) => Signature
  /** A signature that ignores the arguments of what calls it. */
  readonly si: (...args: Args) => Signature
  /** A signature with options. */
  readonly signature: (args: PartialArgs<Args>, options?: ApplyOptions) => Signature
  /** The handle of a call made elsewhere. */
  readonly AsyncResult: (id: string) => AsyncResult<Awaited<Result>>
  /** The class of the error for a broker that cannot be reached, under Celery's name. */
  readonly OperationalError: typeof BrokerConnectionError
  /** What the worker runs. */
  readonly definition: TaskDefinition
}

/** Any task, whatever its arguments. */
export type AnyTask = Pick<CallableTask<never, unknown>, 'name' | 'definition'>

/** A body without `bind`. */
export type PlainBody<Args extends readonly unknown[], Result> = (...args: Args) => Result

/** A body with `bind: true`: its context comes first. */
export type BoundBody<Args extends readonly unknown[], Result> = (self: TaskContext, ...args: Args) => Result
