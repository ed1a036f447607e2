import { toError } from '../util/to-error.js'

/** The part of a pino-like logger that Lovage calls. */
export interface TaskLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A logger that adds these fields to every line. */
  child(fields: Record<string, unknown>): TaskLogger
}

/** Drops every line: what a library does until its host gives it a logger. */
export const silentLogger: TaskLogger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
}

function ignore(): void {
  // Nothing is kept.
}

type Level = 'debug' | 'info' | 'warn' | 'error'

/**
 * The same log for code that must go on: a line that the log cannot write, because of a user's value or a full disk,
 * is written without the values it holds, or dropped.
 */
export function guardLogger(logger: TaskLogger): TaskLogger {
  if (logger === silentLogger) return logger
  const write =
    (level: Level) =>
    (fields: object, message: string): void => {
      if (!attempt(() => logger[level](fields, message)))
        attempt(() => logger[level](plainFields(fields), message))
    }
  const guarded = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields: Record<string, unknown>) => guardLogger(logger.child(fields)),
  }
  // pino's way to ask what is shown; callers spare themselves the lines that are not.
  const levelTest: unknown = Reflect.get(logger, 'isLevelEnabled')
  if (typeof levelTest !== 'function') return guarded
  const isLevelEnabled = (level: string): boolean => Reflect.apply(levelTest, logger, [level]) === true
  return Object.assign(guarded, { isLevelEnabled })
}

function attempt(log: () => void): boolean {
  try {
    log()
    return true
  } catch {
    return false
  }
}

/** Text and numbers as they are, of errors what can be read; the rest is left out. */
function plainFields(fields: object): object {
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'err') {
      const { name, message, stack } = toError(value)
      plain[key] = { type: name, message, stack }
    } else if (typeof value !== 'object' && typeof value !== 'function') plain[key] = value
  }
  return plain
}
