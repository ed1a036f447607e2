import { ConfigError } from '../errors/errors.js'
import { type DurationInput, isDurationInput, toMs } from '../util/duration.js'
import { isPlainObject, shown } from '../util/shown.js'

/** How sending is tried again; Celery's names (`max_retries`, `interval_start`, …) are read too. */
export interface RetryPolicyInput {
  /**
   * Attempts after the first; `Infinity` or `null` for no limit.
   *
   * @defaultValue 3
   */
  readonly maxRetries?: number | null
  /**
   * Delay before the first retry.
   *
   * @defaultValue 0
   */
  readonly intervalStart?: DurationInput
  /**
   * Added to the delay for each retry.
   *
   * @defaultValue 0.2 seconds
   */
  readonly intervalStep?: DurationInput
  /**
   * Longest delay.
   *
   * @defaultValue 1 second
   */
  readonly intervalMax?: DurationInput
}

/** How sending is tried again; the delay before retry `n` (from 0) is `min(max, start + n × step)`. */
export interface RetryPolicy {
  readonly maxRetries: number
  readonly intervalStartMs: number
  readonly intervalStepMs: number
  readonly intervalMaxMs: number
}

const POLICY_NAMES: ReadonlyMap<string, string> = new Map([
  ['max_retries', 'maxRetries'],
  ['interval_start', 'intervalStart'],
  ['interval_step', 'intervalStep'],
  ['interval_max', 'intervalMax'],
])

/**
 * Reads a retry policy; members left out have Celery's values.
 *
 * @source kombu 5.7, `kombu/utils/functional.py`, `retry_over_time`.
 */
export function readRetryPolicy(value: unknown, name: string): RetryPolicy {
  if (!isPlainObject(value)) {
    throw new ConfigError(`expected ${name} to be an object such as { maxRetries: 3 }, got: ${shown(value)}`)
  }
  const given = new Map<string, unknown>()
  for (const [key, member] of Object.entries(value)) given.set(policyName(key, name), member)
  return {
    maxRetries: readMaxRetries(given.get('maxRetries'), name),
    intervalStartMs: readInterval(given.get('intervalStart') ?? 0, `${name}.intervalStart`),
    intervalStepMs: readInterval(given.get('intervalStep') ?? 0.2, `${name}.intervalStep`),
    intervalMaxMs: readInterval(given.get('intervalMax') ?? 1, `${name}.intervalMax`),
  }
}

function policyName(key: string, name: string): string {
  const canonical = POLICY_NAMES.get(key) ?? key
  if ([...POLICY_NAMES.values()].includes(canonical)) return canonical
  if (key === 'retry_errors' || key === 'errback' || key === 'interval_exponential') return key
  throw new ConfigError(
    `unknown member "${key}" of ${name}; it has maxRetries, intervalStart, intervalStep and intervalMax`,
  )
}

function readMaxRetries(value: unknown, name: string): number {
  if (value === undefined) return 3
  if (value === null) return Infinity
  if (typeof value === 'number' && value >= 0 && (Number.isInteger(value) || value === Infinity)) return value
  throw new ConfigError(
    `expected ${name}.maxRetries to be a non-negative integer or Infinity, got: ${shown(value)}`,
  )
}

function readInterval(value: unknown, name: string): number {
  if (!isDurationInput(value)) {
    throw new ConfigError(`expected ${name} to be a length of time, got: ${shown(value)}`)
  }
  const ms = toMs(value, name)
  if (ms < 0) throw new ConfigError(`expected ${name} not to be negative, got: ${shown(value)}`)
  return ms
}
