import { Signature } from '../canvas/signature.js'
import { BrokerConnectionError } from '../errors/errors.js'
import type { AsyncResult } from '../result/async-result.js'
import type { EagerResult } from '../result/eager-result.js'
import type { CallOptions } from '../task/call-options.js'
import type { TaskContext } from '../task/context.js'
import type { TaskDefinition } from '../task/definition.js'
import type { TaskCall } from '../task/sender.js'
import type { ApplyOptions, CallableTask, EagerOptions } from '../task/task.js'
import { withoutNulls } from '../util/without-nulls.js'

/** What a callable task needs of its app. */
export interface TaskHost {
  /** Send one call, or run it here in eager mode. */
  call(call: TaskCall): Promise<AsyncResult>
  /** Send calls in as few round trips as possible. */
  callMany(calls: readonly TaskCall[]): Promise<readonly AsyncResult[]>
  /** Run a call here as a worker would. */
  applyHere(definition: TaskDefinition, args: readonly unknown[], options: EagerOptions): Promise<EagerResult>
  /** The context of a task that is called as a function. */
  directContext(definition: TaskDefinition, args: readonly unknown[]): TaskContext
  /** The handle of a call made elsewhere. */
  resultOf(id: string, taskName: string): AsyncResult
}

/** What a definition becomes in user code; the types of its arguments are those its maker states. */
export type UntypedCallable = CallableTask<readonly unknown[], unknown>

const NO_OPTIONS: CallOptions = {}

/**
 * Make the object that user code calls: the function itself, with everything a task can do on it.
 *
 * It finds its app at each call, so that a task shared between apps follows the current one.
 */
export function makeCallable(definition: TaskDefinition, host: () => TaskHost): UntypedCallable {
  const run = (...args: readonly unknown[]): unknown =>
    definition.body(host().directContext(definition, args), args)
  const call = (args: readonly unknown[], options?: ApplyOptions): TaskCall => {
    if (options === undefined) return { name: definition.name, args, kwargs: {}, options: NO_OPTIONS }
    const { kwargs = {}, ...rest } = withoutNulls(options)
    return { name: definition.name, args, kwargs, options: rest }
  }
  const sign = (args: readonly unknown[], options: ApplyOptions, immutable: boolean): Signature => {
    const { kwargs = {}, ...rest } = withoutNulls(options)
    return new Signature({ task: definition.name, args, kwargs, options: rest, immutable })
  }
  const members = {
    run,
    delay: (...args: readonly unknown[]) => host().call(call(args)),
    applyAsync: (args: readonly unknown[], options?: ApplyOptions) => host().call(call(args, options)),
    bulk: (calls: readonly (readonly unknown[])[], options?: ApplyOptions) =>
      host().callMany(calls.map((args) => call(args, options))),
    with: (transaction: object) => {
      const within = (args: readonly unknown[], options?: ApplyOptions): TaskCall => ({
        ...call(args, options),
        transaction,
      })
      return {
        delay: (...args: readonly unknown[]) => host().call(within(args)),
        applyAsync: (args: readonly unknown[], options?: ApplyOptions) => host().call(within(args, options)),
        bulk: (calls: readonly (readonly unknown[])[], options?: ApplyOptions) =>
          host().callMany(calls.map((args) => within(args, options))),
      }
    },
    apply: (args: readonly unknown[], options?: EagerOptions) =>
      host().applyHere(definition, args, withoutNulls(options)),
    s: (...args: readonly unknown[]) => sign(args, {}, false),
    si: (...args: readonly unknown[]) => sign(args, {}, true),
    signature: (args: readonly unknown[], options: ApplyOptions = {}) => sign(args, options, false),
    AsyncResult: (id: string) => host().resultOf(id, definition.name),
    OperationalError: BrokerConnectionError,
    definition,
  }
  // A function's `name` can be defined anew but not assigned.
  const direct = (...args: readonly unknown[]): unknown => run(...args)
  Object.defineProperty(direct, 'name', { value: definition.name })
  return Object.assign(direct, members)
}
