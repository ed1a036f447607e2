import { ConfigError } from '../../errors/errors.js'
import { isDurationInput, toMs } from '../../util/duration.js'
import type { DurationOption, NumberOption, Option, StringOption } from '../option/option.js'
import { isList, isPlainObject, shown } from '../../util/shown.js'

/**
 * The resolved value of one option, or `undefined` where it is not set and has no default.
 *
 * @param value - What was written; `undefined` for nothing, `null` for Python's `None`.
 * @param name - The name in errors, in the spelling that was used.
 * @throws {@link ConfigError} when the value does not fit.
 */
export function readOption(option: Option, value: unknown, name: string): unknown {
  const written = value === null ? option.whenNone : value
  const given = written ?? option.default
  return given === undefined ? undefined : readGiven(option, given, name)
}

function readGiven(option: Option, value: unknown, name: string): unknown {
  switch (option.kind) {
    case 'boolean':
      return readBoolean(value, name)
    case 'integer':
    case 'number':
      return readNumber(option, value, name)
    case 'string':
      return readString(option, value, name)
    case 'list':
      return readList(value, name)
    case 'duration':
      return readDuration(option, value, name)
    case 'dict':
      return readDict(value, name)
    case 'value':
      return option.read(value, name)
  }
}

function readBoolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value
  throw new ConfigError(`expected ${name} to be a boolean, got: ${shown(value)}`)
}

function readNumber(option: NumberOption, value: unknown, name: string): number {
  const unlimited = value === Infinity || (value === 0 && option.zeroIsInfinite === true)
  if (unlimited && option.infinite === true) return Infinity
  const whole = option.kind === 'integer'
  if (typeof value === 'number' && Number.isFinite(value) && inRange(option, value)) {
    if (!whole || Number.isInteger(value)) return value
  }
  throw new ConfigError(`expected ${name} to be ${numberForm(option)}, got: ${shown(value)}`)
}

function inRange(option: NumberOption, value: number): boolean {
  return value >= (option.min ?? -Infinity) && value <= (option.max ?? Infinity)
}

/** `a positive integer`, `an integer from 1 to 65535`: for errors and the reference. */
export function numberForm(option: NumberOption): string {
  const noun = option.kind === 'integer' ? 'integer' : 'number'
  const unlimited = option.infinite === true ? ' or Infinity' : ''
  if (option.min === 0 && option.max === undefined) return `a non-negative ${noun}${unlimited}`
  if (option.min === 1 && option.max === undefined) return `a positive ${noun}${unlimited}`
  const article = noun === 'integer' ? 'an' : 'a'
  if (option.min === undefined) return `${article} ${noun}${unlimited}`
  const range = option.max === undefined ? `of at least ${option.min}` : `from ${option.min} to ${option.max}`
  return `${article} ${noun} ${range}${unlimited}`
}

function readString(option: StringOption, value: unknown, name: string): string {
  if (typeof value === 'string' && (option.choices?.includes(value) ?? true)) return value
  const form = option.choices
    ? `one of ${option.choices.map((choice) => `"${choice}"`).join(', ')}`
    : 'a string'
  throw new ConfigError(
    `expected ${name} to be ${form}, got: ${option.secret === true ? '********' : shown(value)}`,
  )
}

function readList(value: unknown, name: string): readonly string[] {
  const words = typeof value === 'string' ? [value] : value
  if (isList(words) && words.every((word) => typeof word === 'string')) return [...words]
  throw new ConfigError(`expected ${name} to be a list of strings, got: ${shown(value)}`)
}

function readDuration(option: DurationOption, value: unknown, name: string): number {
  if (!isDurationInput(value)) {
    throw new ConfigError(
      `expected ${name} to be a number of seconds or an object such as { minutes: 5 }, got: ${shown(value)}`,
    )
  }
  const ms = toMs(value, name)
  const minMs = option.min === undefined ? 0 : toMs(option.min, name)
  if (ms === Infinity && option.infinite !== true) {
    throw new ConfigError(`expected ${name} to be a finite length of time, got: Infinity`)
  }
  if (ms < minMs) {
    throw new ConfigError(
      minMs === 0
        ? `expected ${name} not to be negative, got: ${shown(value)}`
        : `expected ${name} to be at least ${secondsText(minMs)}, got: ${shown(value)}`,
    )
  }
  return ms
}

function secondsText(ms: number): string {
  return ms === 1000 ? '1 second' : `${ms / 1000} seconds`
}

function readDict(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (isPlainObject(value)) return value
  throw new ConfigError(`expected ${name} to be an object, got: ${shown(value)}`)
}
