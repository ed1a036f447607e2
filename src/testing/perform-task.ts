import type { EagerResult } from '../result/eager-result.js'
import type { CallableTask, EagerOptions } from '../task/task.js'

/**
 * Run a task here by all the rules of a worker, without a broker: arguments and result are written and read back, the
 * schema is checked, retries run at once, handlers are called.
 *
 * @returns The result as a caller's `get` would give it, whatever `taskEagerPropagates` says.
 * @throws `EncodeError` when the arguments cannot be written.
 */
export async function performTask<Args extends readonly unknown[], Result>(
  task: CallableTask<Args, Result>,
  args: Args,
  options: EagerOptions = {},
): Promise<EagerResult<Awaited<Result>>> {
  return task.apply(args, { throw: false, ...options })
}
