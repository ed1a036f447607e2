import type { Lovage } from '../app/app.js'
import { ConfigError } from '../errors/errors.js'
import type { TaskLogger } from '../task/logger.js'
import { painter, type Paint } from './io.js'
import { levelNamed, logFormat, logLevel, openLog, type LogFormat, type LogPatterns } from './log.js'
import type { CommandContext } from './command-context.js'
import { internalsOf } from '../util/internals.js'
import { format } from 'node:util'
import { currentTask } from '../task/context.js'

/** How the log of a worker was asked for on the command line. */
export interface LogFlags {
  readonly loglevel: string
  readonly logFormat?: string
}

/** The log of a worker and the form it has. */
export interface WorkerLog {
  readonly logger: TaskLogger
  readonly format: LogFormat
}

/** @throws UsageError for a level or form that is none, before anything is loaded. */
export function checkLogFlags(session: CommandContext, flags: LogFlags): void {
  logLevel(flags.loglevel)
  logFormat(flags.logFormat, session.io.stderr)
}

/** The log that options and settings ask for. */
export function openWorkerLog(session: CommandContext, app: Lovage, flags: LogFlags): WorkerLog {
  const patterns = patternsOf(app)
  const asked = flags.logFormat ?? (patterns === undefined ? undefined : 'text')
  const format = logFormat(asked, session.io.stderr)
  const level = logLevel(session.quiet ? 'error' : flags.loglevel)
  const options = { level, format, paint: paintOf(session, app) }
  const logger = openLog(session.io, patterns === undefined ? options : { ...options, patterns })
  return { logger, format }
}

/**
 * Send `console` to the log as the settings ask.
 *
 * @returns Undoes it.
 * @throws ConfigError for a level that is none.
 */
export function redirectOutput(app: Lovage, logger: TaskLogger): () => void {
  const { workerRedirectStdouts, workerRedirectStdoutsLevel } = internalsOf(app).config()
  if (!workerRedirectStdouts) return () => undefined
  return redirectConsole(logger, redirectLevel(workerRedirectStdoutsLevel))
}

function redirectLevel(name: string): RedirectLevel {
  switch (levelNamed(name)) {
    case 'debug':
      return 'debug'
    case 'info':
      return 'info'
    case 'warn':
      return 'warn'
    case 'error':
    case 'fatal':
      return 'error'
    default:
      throw new ConfigError(
        `expected workerRedirectStdoutsLevel to be DEBUG, INFO, WARNING or ERROR, got: ${name}`,
      )
  }
}

/** `undefined` when nobody set a form of Python's. */
function patternsOf(app: Lovage): LogPatterns | undefined {
  const worker = app.conf.has('workerLogFormat')
  const task = app.conf.has('workerTaskLogFormat')
  if (!worker && !task) return undefined
  const { workerLogFormat, workerTaskLogFormat } = internalsOf(app).config()
  return { ...(worker ? { worker: workerLogFormat } : {}), ...(task ? { task: workerTaskLogFormat } : {}) }
}

/** `workerLogColor` decides where neither `--no-color` nor `NO_COLOR` does. */
function paintOf(session: CommandContext, app: Lovage): Paint {
  const { io, flags } = session
  const wanted = internalsOf(app).config().workerLogColor
  const env = wanted === true ? { ...io.env, FORCE_COLOR: '1' } : io.env
  return painter(io.stderr, { env }, flags.color && wanted !== false)
}

/** The methods of `console` whose lines are redirected. */
const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const

/** The methods of a log that `workerRedirectStdoutsLevel` may choose. */
type RedirectLevel = 'debug' | 'info' | 'warn' | 'error'

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
