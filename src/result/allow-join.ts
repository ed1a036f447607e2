import { AsyncLocalStorage } from 'node:async_hooks'

import { TaskError } from '../errors/errors.js'
import { currentTask } from '../task/context.js'

const allowed = new AsyncLocalStorage<boolean>()

/**
 * Run `body` with `get` allowed inside of tasks.
 *
 * A task that waits for another holds its slot meanwhile; when every slot waits, nothing runs that could end the
 * wait. A chain or a callback needs no waiting.
 *
 * @source Celery 5.7, `celery/result.py`, `allow_join_result`.
 */
export function allowJoinResult<Value>(body: () => Value): Value {
  return allowed.run(true, body)
}

/**
 * Refuse a wait that could deadlock.
 *
 * @throws {@link TaskError} inside of a task, unless {@link allowJoinResult} is around the call.
 * @source Celery 5.7, `celery/result.py`, `assert_will_not_block`.
 */
export function assertMayJoin(taskId: string): void {
  const running = currentTask()
  if (running === undefined || allowed.getStore() === true) return
  throw new TaskError(
    `task ${running.name} waits for task ${taskId} inside its body, which can deadlock the worker; ` +
      'use a chain or a callback, or pass disableSyncSubtasks: false if that cannot happen here',
  )
}
