import type { Lovage } from '../app/app.js'
import { Codecs } from '../message/codecs.js'
import { createResultCodec } from '../message/result-codec.js'
import { EagerResult } from '../result/eager-result.js'
import type { CallableTask, EagerOptions } from '../task/task.js'

/** How to perform a task. */
export interface PerformOptions extends EagerOptions {
  /** The app whose result serializer and types are used; JSON when left out. */
  readonly app?: Lovage
}

/**
 * Run a task here by all the rules of a worker, without a broker: arguments and result are written and read back, the
 * schema is checked, retries run at once, handlers are called.
 *
 * @returns The result as a caller's `get` would give it.
 * @throws `EncodeError` when the arguments or the result cannot be written.
 */
export async function performTask<Args extends readonly unknown[], Result>(
  task: CallableTask<Args, Result>,
  args: Args,
  options: PerformOptions = {},
): Promise<EagerResult<Awaited<Result>>> {
  const { app, ...eager } = options
  const performed = await task.apply(args, { throw: false, ...eager })
  if (!(await performed.successful())) return performed
  const codec = createResultCodec(app?.config().resultSerializer ?? 'json', app?.codecs ?? new Codecs())
  const value = codec.decode(codec.encode(await performed.get({ disableSyncSubtasks: false })))
  const retries = (await performed.retries()) ?? 0
  return new EagerResult({ taskId: performed.id, taskName: task.name, state: 'SUCCESS', value, retries })
}
