import { ConfigError } from '../../errors/errors.js'
import { shown } from '../../util/shown.js'

const ON: ReadonlySet<string> = new Set(['true', 'yes', 'on', '1', 't', 'y'])
const OFF: ReadonlySet<string> = new Set(['false', 'no', 'off', '0', 'f', 'n'])

/**
 * What a text says about a switch, or `undefined` when it says neither on nor off.
 *
 * @source Celery 5.7, `celery/utils/serialization.py`, `strtobool`; PasteDeploy, `asbool`.
 */
export function switchFromText(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (ON.has(word)) return true
  return OFF.has(word) ? false : undefined
}

/** The value of a JSON text; a Python literal is refused by name. */
export function jsonFromText(text: string, name: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (cause) {
    const hint = /^\s*[[{(]/.test(text) ? ' (JSON has double quotes, true, false and null)' : ''
    throw new ConfigError(`expected ${name} to be JSON${hint}, got: ${shown(text)}`, { cause })
  }
}

/**
 * The words of a list: JSON, a Python list or tuple of words, or words separated by white space and commas.
 */
export function wordsFromText(text: string, name: string): unknown {
  const trimmed = text.trim()
  if (!/^[[(]/.test(trimmed)) return trimmed.split(/[\s,]+/).filter((word) => word !== '')
  if (!/^\[.*\]$|^\(.*\)$/s.test(trimmed)) {
    throw new ConfigError(`expected ${name} to be a list of words, got: ${shown(text)}`)
  }
  return trimmed
    .slice(1, -1)
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => unquoted(word))
}

/** A text without one pair of quotes around it. */
export function unquoted(text: string): string {
  const match = /^(['"])(.*)\1$/s.exec(text)
  return match?.[2] ?? text
}

/** A whole number where the text is one, else the text. */
export function numberOrText(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}
