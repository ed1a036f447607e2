import { TaskError, TimeoutError } from '../errors/errors.js'
import type { Lovage } from '../app/app.js'
import type { ResultHandle } from '../result/result-handle.js'
import { isReady } from '../result/states.js'
import type { AnyTask } from '../task/task.js'
import { toMs, type DurationInput } from '../util/duration.js'
import { recorderOf, type TaskPassage } from './task-recorder.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { internalsOf } from '../util/internals.js'

/** How long to wait. */
export interface WaitForOptions {
  /**
   * Longest wait.
   *
   * @defaultValue 5 seconds
   */
  readonly timeout?: DurationInput
}

const DEFAULT_TIMEOUT: DurationInput = 5

/**
 * Wait until a result is in a state; any end of the task will do when none is named.
 *
 * @returns The state's metadata, the return value, or the error.
 * @throws {@link TimeoutError} when the time is up; {@link TaskError} when the task ends in another state.
 */
export async function waitFor(
  result: ResultHandle,
  state?: string,
  options: WaitForOptions = {},
): Promise<unknown> {
  refuseUnknown(options, { timeout: true } satisfies KnownMembers<WaitForOptions>, 'waitFor')
  const reached = new AbortController()
  let info: unknown
  let last = 'PENDING'
  const timeout = options.timeout ?? DEFAULT_TIMEOUT
  try {
    await result.get({
      timeout,
      signal: reached.signal,
      propagate: false,
      disableSyncSubtasks: false,
      onProgress: (update) => {
        if (reached.signal.aborted) return
        last = update.state
        info = update.info
        if (isWanted(state, update.state)) reached.abort()
      },
    })
    last = await result.state()
    info = await result.info()
  } catch (error) {
    if (!reached.signal.aborted) throw error
  }
  if (isWanted(state, last)) return info
  throw new TaskError(`task ${result.id} ended in state ${last}, not in ${state ?? 'an end state'}`)
}

function isWanted(wanted: string | undefined, state: string): boolean {
  return wanted === undefined ? isReady(state) : wanted === state
}

/** Which call is waited for, and until when. */
export interface WaitForTaskOptions extends WaitForOptions {
  /**
   * `SENT`, `STARTED`, `SUCCESS`, `FAILURE`, `RETRY`, `IGNORED`, `REJECTED`.
   *
   * @defaultValue `SUCCESS`
   */
  readonly state?: string
  /** Chooses among the calls of the task. */
  readonly where?: (passage: TaskPassage) => boolean
}

const WAIT_FOR_TASK = { timeout: true, state: true, where: true } satisfies KnownMembers<WaitForTaskOptions>

/**
 * Wait until a call of a task has come to a point of its life in this process; at once when it has been there.
 *
 * @throws {@link TimeoutError} that shows what has happened instead.
 */
export async function waitForTask(
  app: Lovage,
  task: AnyTask | string,
  options: WaitForTaskOptions = {},
): Promise<TaskPassage> {
  refuseUnknown(options, WAIT_FOR_TASK, 'waitForTask')
  const { state = 'SUCCESS', where = () => true, timeout = DEFAULT_TIMEOUT } = options
  const name = typeof task === 'string' ? task : task.name
  const recorder = recorderOf(app)
  const isIt = (passage: TaskPassage): boolean =>
    passage.task === name && passage.state === state && where(passage)
  const earlier = recorder.passages.find(isIt)
  if (earlier !== undefined) return earlier
  return new Promise((resolve, reject) => {
    const stopListening = recorder.listen((passage) => {
      if (!isIt(passage)) return
      cancelTimer()
      stopListening()
      resolve(passage)
    })
    const cancelTimer = internalsOf(app).clock.setTimer(toMs(timeout, 'timeout'), () => {
      stopListening()
      reject(new TimeoutError(`no ${state} of ${name} in time; there was: ${printed(recorder.passages)}`))
    })
  })
}

function printed(passages: readonly TaskPassage[]): string {
  return passages.map(({ task, state }) => `${state} of ${task}`).join(', ') || 'nothing'
}
