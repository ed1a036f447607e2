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
