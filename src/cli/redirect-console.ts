import { format } from 'node:util'

import { currentTask } from '../task/context.js'
import type { TaskLogger } from '../task/logger.js'

/** The methods of `console` whose lines are redirected. */
const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const

/** The methods of a log that `workerRedirectStdoutsLevel` may choose. */
export type RedirectLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * Send what code prints with `console` to the log of the task it runs in; outside of tasks to the log of the worker.
 *
 * @returns Gives `console` its own methods back.
 * @source Celery 5.7, `celery/app/log.py`, `redirect_stdouts_to_logger`.
 */
export function redirectConsole(logger: TaskLogger, level: RedirectLevel): () => void {
  let isWriting = false
  const own = METHODS.map((method) => Object.getOwnPropertyDescriptor(console, method))
  const write = (...values: readonly unknown[]): void => {
    // A log that itself prints with `console` must not come back here.
    if (isWriting) {
      process.stderr.write(`${format(...values)}\n`)
      return
    }
    isWriting = true
    try {
      const target = currentTask()?.logger ?? logger
      target[level]({}, format(...values))
    } finally {
      isWriting = false
    }
  }
  for (const method of METHODS) console[method] = write
  return () => {
    METHODS.forEach((method, index) => {
      const original = own[index]
      if (original !== undefined) Object.defineProperty(console, method, original)
    })
  }
}
