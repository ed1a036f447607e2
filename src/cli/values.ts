import { DateTime } from 'luxon'

import { isRecord } from '../util/record.js'
import { UsageError } from './usage-error.js'

/** The positional arguments of a call, from a JSON array. */
export function parseArgs(text: string | undefined): readonly unknown[] {
  if (text === undefined) return []
  const value = parseJson(text, '--args', `'[5, 10]'`)
  if (!Array.isArray(value)) throw new UsageError(`--args must be a JSON array, for example '[5, 10]'`)
  return value.map((item: unknown) => item)
}

/** The keyword arguments of a call, from a JSON object. */
export function parseKwargs(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {}
  const value = parseJson(text, '--kwargs', `'{"x": 5}'`)
  if (!isRecord(value)) throw new UsageError(`--kwargs must be a JSON object, for example '{"x": 5}'`)
  return value
}

/** A moment: ISO 8601, in local time where it names no zone. */
export function parseDate(text: string, option: string): Date {
  const moment = DateTime.fromISO(text)
  if (/^\d{4}-/.test(text) && moment.isValid) return moment.toJSDate()
  throw new UsageError(
    `${option} must be an ISO 8601 time, for example 2030-01-31T12:00:00Z; got ${quoted(text)}`,
  )
}

/** A number of seconds, or an ISO 8601 moment. */
export function parseSecondsOrDate(text: string, option: string): number | Date {
  return /^\d{4}-/.test(text) ? parseDate(text, option) : parseSeconds(text, option)
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 0.001],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
])

/** A length of time in seconds: a bare number, or a number with `ms`, `s`, `m`, `h` or `d`. */
export function parseSeconds(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text.trim())
  const factor = UNITS.get(match?.[2] ?? 's')
  if (match?.[1] === undefined || factor === undefined) {
    throw new UsageError(`${option} must be seconds, or a number with ms, s, m, h or d; got ${quoted(text)}`)
  }
  return Number(match[1]) * factor
}

/** A whole number within limits. */
export function parseWhole(
  text: string,
  option: string,
  least = 0,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new UsageError(`${option} must be a whole number ${range}; got ${quoted(text)}`)
}

/** A comma-separated list, blanks and empty items dropped; an option given twice adds to it. */
export function collectList(text: string, before: readonly string[] | undefined): readonly string[] {
  const items = text.split(',').map((item) => item.trim())
  return [...(before ?? []), ...items.filter((item) => item !== '')]
}

function parseJson(text: string, option: string, example: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (cause) {
    throw new UsageError(`${option} is not JSON: ${quoted(text)}; write it like ${option} ${example}`, {
      cause,
    })
  }
}

function quoted(text: string): string {
  return `"${text}"`
}
