import { ConfigError } from '../../src/errors/errors.js'
import { shownOption } from '../../src/util/mask-members.js'
import { isRecord } from '../../src/util/record.js'

/** Transport options by name. */
export type Options = ReadonlyMap<string, unknown>

/** An option that is text. @throws {@link ConfigError} otherwise. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options.get(name)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw mismatch(name, 'text', value)
}

/** An option that is a number of 0 or more, as a number or text. @throws {@link ConfigError} otherwise. */
export function numberOption(options: Options, name: string): number | undefined {
  const value = options.get(name)
  if (value === undefined || value === null || value === '') return undefined
  const number = Number(value)
  if (Number.isFinite(number) && number >= 0) return number
  throw mismatch(name, 'a number', value)
}

/** An option in seconds, in milliseconds. @throws {@link ConfigError} for what is no number of 0 or more. */
export function secondsOption(options: Options, name: string): number | undefined {
  const seconds = numberOption(options, name)
  return seconds === undefined ? undefined : seconds * 1000
}

/** An option with named values, which become text. @throws {@link ConfigError} otherwise. */
export function recordOption(options: Options, name: string): Readonly<Record<string, string>> {
  const value = options.get(name)
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) throw mismatch(name, 'names and values', value)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]))
}

/** A list of texts, written as a list or with commas. @throws {@link ConfigError} otherwise. */
export function textsOption(value: unknown, name: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return value.split(',').filter((text) => text !== '')
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.every((one) => typeof one === 'string')) return list
  throw mismatch(name, 'a list of names', value)
}

function mismatch(name: string, form: string, value: unknown): ConfigError {
  return new ConfigError(`expected option "${name}" to be ${form}, got: ${shownOption(name, value)}`)
}
