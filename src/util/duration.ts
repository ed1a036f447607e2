import { ConfigError } from '../errors/errors.js'

/** A length of time that names its units; the parts add up. */
export interface DurationParts {
  readonly milliseconds?: number
  readonly seconds?: number
  readonly minutes?: number
  readonly hours?: number
  readonly days?: number
  readonly weeks?: number
}

/** How a user writes a length of time: a bare number is seconds; luxon's `Duration` fits the last form. */
export type DurationInput = number | DurationParts | { toMillis(): number }

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['milliseconds', 1],
  ['seconds', 1000],
  ['minutes', 60_000],
  ['hours', 3_600_000],
  ['days', 86_400_000],
  ['weeks', 604_800_000],
])

/**
 * What a user wrote, in milliseconds.
 *
 * `Infinity` and negative lengths pass; the caller refuses what its option has no meaning for.
 *
 * @param input - The length as written.
 * @param name - The option it was written for, named in the error.
 * @throws {@link ConfigError} when it is neither a number nor an object of known units.
 */
export function toMs(input: DurationInput, name: string): number {
  if (typeof input === 'number') return checked(input * 1000, input, name)
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- JavaScript callers write anything
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw refused(input, name)
  if ('toMillis' in input) {
    if (typeof input.toMillis !== 'function') throw refused(input, name)
    return checked(input.toMillis(), input, name)
  }
  return sumOfUnits(input, name)
}

/** Whether a value has the shape of a length of time; its units are checked by `toMs`. */
export function isDurationInput(value: unknown): value is DurationInput {
  return typeof value === 'number' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

function sumOfUnits(parts: DurationParts, name: string): number {
  let total = 0
  let units = 0
  for (const [unit, amount] of Object.entries(parts)) {
    if (amount === undefined) continue
    const unitMs = UNIT_MS.get(unit)
    if (unitMs === undefined || typeof amount !== 'number') throw refused(parts, name)
    total += amount * unitMs
    units += 1
  }
  if (units === 0) throw refused(parts, name)
  return checked(total, parts, name)
}

function checked(ms: unknown, input: unknown, name: string): number {
  if (typeof ms !== 'number' || Number.isNaN(ms)) throw refused(input, name)
  return ms
}

function refused(input: unknown, name: string): ConfigError {
  return new ConfigError(
    `expected ${name} to be a number of seconds or an object such as { minutes: 5 }, got: ${printed(input)}`,
  )
}

function printed(input: unknown): string {
  if (typeof input === 'number' || typeof input === 'function' || input === undefined) return String(input)
  try {
    return JSON.stringify(input)
  } catch {
    return typeof input
  }
}
