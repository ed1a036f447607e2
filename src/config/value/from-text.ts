import { ConfigError } from '../../errors/errors.js'
import type { Option, ValueOption } from '../option/option.js'
import { shown } from '../../util/shown.js'
import { jsonFromText, switchFromText, unquoted, wordsFromText } from './text.js'

/**
 * A value of the environment or an ini file, typed by its option; it is not checked beyond that.
 *
 * Empty text, `None` and `null` are `null`.
 *
 * @throws {@link ConfigError} when the text cannot be of the option's type.
 */
export function valueFromText(option: Option, text: string, name: string): unknown {
  const trimmed = text.trim()
  return NOTHING.has(trimmed) ? null : typedFromText(option, trimmed, name)
}

const NOTHING: ReadonlySet<string> = new Set(['', 'None', 'null'])

function typedFromText(option: Option, trimmed: string, name: string): unknown {
  switch (option.kind) {
    case 'boolean':
      return booleanFromText(trimmed, name)
    case 'integer':
    case 'number':
      return numberFromText(trimmed, name)
    case 'duration':
      return trimmed.startsWith('{') ? jsonFromText(trimmed, name) : numberFromText(trimmed, name)
    case 'list':
      return wordsFromText(trimmed, name)
    case 'dict':
      return jsonFromText(trimmed, name)
    case 'string':
      return unquoted(trimmed)
    case 'value':
      return ownFormFromText(option, trimmed, name)
  }
}

function booleanFromText(text: string, name: string): boolean {
  const value = switchFromText(text)
  if (value !== undefined) return value
  throw new ConfigError(`expected ${name} to be a boolean (true or false), got: ${shown(text)}`)
}

function numberFromText(text: string, name: string): number {
  if (/^(inf|infinity)$/i.test(text)) return Infinity
  const value = Number(text)
  if (Number.isFinite(value)) return value
  throw new ConfigError(`expected ${name} to be a number, got: ${shown(text)}`)
}

function ownFormFromText(option: ValueOption, text: string, name: string): unknown {
  if (option.fromText !== undefined) return option.fromText(unquoted(text), name)
  return jsonFromText(text, name)
}

/** A value without an option of its own, such as one of `[celery:broker_transport_options]`: JSON, a switch or text. */
export function guessedFromText(text: string): unknown {
  const trimmed = text.trim()
  if (trimmed === 'None' || trimmed === '') return null
  if (trimmed === 'True') return true
  if (trimmed === 'False') return false
  try {
    const value: unknown = JSON.parse(trimmed)
    return value
  } catch {
    return trimmed
  }
}
