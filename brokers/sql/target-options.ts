import { ConfigError } from '../../src/errors/errors.js'
import { toMs } from '../../src/util/duration.js'

/** kombu's options for its SQL transport, and others that a shared configuration may carry. */
export const IGNORED_OPTIONS: readonly string[] = [
  'visibility_timeout',
  'polling_interval',
  'echo',
  'max_retries',
  'interval_start',
  'interval_step',
  'interval_max',
]

/** An option in seconds, from a URL or an object, in milliseconds. @throws {@link ConfigError} for no number. */
export function durationOption(
  options: ReadonlyMap<string, unknown>,
  name: string,
  fallbackMs: number,
): number {
  const value = options.get(name)
  if (value === undefined) return fallbackMs
  const seconds = typeof value === 'string' ? Number(value) : value
  if (typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0) return toMs(seconds, name)
  throw new ConfigError(`expected option "${name}" to be a number of seconds, got: ${JSON.stringify(value)}`)
}

/** An option that counts, from a URL or an object. @throws {@link ConfigError} for anything below 1. */
export function countOption(options: ReadonlyMap<string, unknown>, name: string, fallback: number): number {
  const value = options.get(name)
  if (value === undefined) return fallback
  const count = typeof value === 'string' ? Number(value) : value
  if (typeof count === 'number' && Number.isInteger(count) && count > 0) return count
  throw new ConfigError(
    `expected option "${name}" to be a whole number above 0, got: ${JSON.stringify(value)}`,
  )
}

/** An option of text. @throws {@link ConfigError} for anything else. */
export function textOption(options: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = options.get(name)
  if (value === undefined || typeof value === 'string') return value
  throw new ConfigError(`expected option "${name}" to be a text, got: ${JSON.stringify(value)}`)
}
