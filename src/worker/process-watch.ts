import { LovageError } from '../errors/errors.js'
import { currentTask } from '../task/context.js'
import type { TaskLogger } from '../task/logger.js'
import { toError } from '../util/to-error.js'
import type { Run } from './run/run.js'

/** A worker, as far as the end of its process minds. */
export interface WatchedWorker {
  readonly logger: TaskLogger
  readonly running: () => Iterable<Run>
  /** Its body threw where nothing catches it. */
  readonly fail: (run: Run, error: Error) => void
  /** Stop warmly, because of this error. Never rejects. */
  readonly stop: (error: Error) => Promise<unknown>
}

const NAMED = 20

/** The workers of this process that are not stopped. */
const workers = new Set<WatchedWorker>()

/**
 * See to it that an error which nothing catches, and `process.exit()`, do not end the process in silence and with all
 * tasks of its workers.
 *
 * @returns What ends it.
 */
export function watchProcess(worker: WatchedWorker): () => void {
  if (workers.size === 0) {
    process.on('uncaughtException', uncaught)
    process.on('exit', exiting)
  }
  workers.add(worker)
  return () => {
    workers.delete(worker)
    if (workers.size > 0) return
    process.off('uncaughtException', uncaught)
    process.off('exit', exiting)
  }
}

/** Rejections that nothing handles come here, too, unless the process treats them in another way. */
function uncaught(thrown: unknown): void {
  const error = toError(thrown)
  const request = currentTask()?.request
  if (request === undefined) {
    uncaughtElsewhere(error)
    return
  }
  const name = `${request.task}[${request.id}]`
  const all = [...workers]
  const owner = all.find((worker) => runOf(worker) !== undefined)
  const run = owner === undefined ? undefined : runOf(owner)
  for (const { logger } of owner === undefined ? all : [owner]) {
    const what = run === undefined ? 'which has ended' : 'which fails'
    logger.error(
      { err: error, task: request.task, id: request.id },
      `Nothing caught an error of ${name}, ${what}; the worker stops: ${error.message}`,
    )
  }
  if (run !== undefined) owner?.fail(run, error)
  void stopAll(new LovageError(`nothing caught an error of ${name}: ${error.message}`, { cause: error }))

  function runOf(worker: WatchedWorker): Run | undefined {
    return [...worker.running()].find((one) => one.request === request)
  }
}

/** No task can be blamed. Where nothing else listens, the process ends as Node.js ends it, once its workers have stopped. */
function uncaughtElsewhere(error: Error): void {
  const isOurs = process.listenerCount('uncaughtException') === 1
  for (const worker of workers) {
    const tasks = namesOf(worker)
    worker.logger.error(
      { err: error, tasks },
      `Nothing caught an error${tasks.length === 0 ? '' : ` while these tasks ran: ${tasks.join(', ')}`}` +
        `${isOurs ? '; the worker stops' : ''}: ${error.message}`,
    )
  }
  if (!isOurs) return
  void stopAll(error).then(() =>
    setImmediate(() => {
      throw error
    }),
  )
}

function stopAll(error: Error): Promise<unknown> {
  return Promise.all([...workers].map((worker) => worker.stop(error)))
}

/** Somebody called `process.exit()`: what runs is lost with the process, which is no success. */
function exiting(code: number): void {
  const task = currentTask()
  for (const worker of workers) {
    const tasks = namesOf(worker)
    if (tasks.length === 0 && task === undefined) continue
    if (code === 0) process.exitCode = 1
    const who = task === undefined ? '' : ` in task ${task.request.task}[${task.request.id}]`
    worker.logger.error(
      { tasks, code },
      `process.exit(${String(code)})${who} ends this worker; these tasks were running: ${tasks.join(', ')}`,
    )
  }
}

function namesOf(worker: WatchedWorker): readonly string[] {
  const names = [...worker.running()].map(({ request }) => `${request.task}[${request.id}]`)
  if (names.length <= NAMED) return names
  return [...names.slice(0, NAMED), `and ${String(names.length - NAMED)} more`]
}
