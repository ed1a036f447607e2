import { ConfigError } from '../../errors/errors.js'
import { type DurationInput, toMs } from '../../util/duration.js'
import { camel } from './members.js'
import { isList, isPlainObject, shown } from './shown.js'

/** Whether a message is written to disk: by number, as AMQP says it, or by name. */
export type DeliveryModeSetting = 1 | 2 | 'transient' | 'persistent'

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

/** Whether a value has the shape of a length of time; its units are checked by `toMs`. */
export function isDurationInput(value: unknown): value is DurationInput {
  return typeof value === 'number' || (typeof value === 'object' && value !== null && !isList(value))
}

/** Options of tasks by name, or by `*` for all of them. */
export type TaskAnnotations = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Reads `taskAnnotations`: one object, or a list. Which options there are is known where a task is. */
export function readAnnotations(value: unknown, name: string): readonly TaskAnnotations[] {
  return (isList(value) ? value : [value]).map((annotations) =>
    mapped(annotations, name, (task, options) => [
      task,
      mapped(options, `${name}["${task}"]`, (key, option) => [camel(key), option]),
    ]),
  )
}

function mapped<Value>(
  value: unknown,
  name: string,
  change: (key: string, member: unknown) => readonly [string, Value],
): Readonly<Record<string, Value>> {
  if (!isPlainObject(value)) throw new ConfigError(`expected ${name} to be an object, got: ${shown(value)}`)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => change(key, member)))
}

/** Reads a delivery mode by number, digit or name. */
export function readDeliveryMode(value: unknown, name: string): 1 | 2 {
  if (value === 1 || value === '1' || value === 'transient') return 1
  if (value === 2 || value === '2' || value === 'persistent') return 2
  throw new ConfigError(`expected ${name} to be 1, 2, "transient" or "persistent", got: ${shown(value)}`)
}
