import { maskUrl } from '../util/mask-url.js'
import { lowerName } from './option-names.js'
import { OPTIONS } from './option-table.js'
import { isList, isPlainObject } from './value/shown.js'

const MASK = '********'

// Celery's words, and a few more that name what opens doors.
const HIDDEN = /API|TOKEN|KEY|SECRET|PASS|SIGNATURE|DATABASE|CREDENTIAL|BEAT_DBURI|PROFANITIES_LIST/i

/** Names that have one of the words in them and hold nothing secret. */
const HARMLESS: ReadonlySet<string> = new Set([
  'taskDefaultRoutingKey',
  'databaseTableNames',
  'databaseTableSchemas',
  'routingKey',
  'routing_key',
])

/**
 * A setting as it may be printed: secrets replaced, passwords of URLs masked, also inside of objects and lists.
 *
 * Switches and numbers are shown whatever their name; an object from outside by the name of its class.
 *
 * @source Celery 5.7, `celery/app/utils.py`, `filter_hidden_settings`.
 */
export function maskSetting(name: string, value: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number') {
    return OPTIONS.get(name)?.secret === true && typeof value === 'number' ? MASK : value
  }
  if (isSecretName(name) && !(typeof value === 'string' && isUrlOption(name))) return MASK
  return maskInside(value)
}

function isSecretName(name: string): boolean {
  if (OPTIONS.get(name)?.secret === true) return true
  return !HARMLESS.has(name) && HIDDEN.test(lowerName(name))
}

function isUrlOption(name: string): boolean {
  const option = OPTIONS.get(name)
  return option?.kind === 'string' && option.url === true && name !== 'databaseUrl'
}

function maskInside(value: unknown): unknown {
  if (typeof value === 'string') return maskUrl(value)
  if (isList(value)) return value.map((item) => maskInside(item))
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskSetting(key, member)]))
  }
  if (typeof value === 'function') return `[function ${value.name}]`
  if (typeof value === 'object' && value !== null) return `[${value.constructor.name}]`
  return value
}
