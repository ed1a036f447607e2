import { maskUrls } from './mask-url.js'

/** What is printed instead of a secret. */
export const MASK = '********'

// Celery's words, and a few more that name what opens doors.
const HIDDEN = /API|TOKEN|KEY|SECRET|PASS|PWD|SIGNATURE|DATABASE|CREDENTIAL|BEAT_?DBURI|PROFANITIES_?LIST/i

/** Names that have one of the words in them and hold nothing secret. */
const HARMLESS: ReadonlySet<string> = new Set([
  'taskDefaultRoutingKey',
  'databaseTableNames',
  'databaseTableSchemas',
  'routingKey',
  'routing_key',
  'bindingKey',
  'binding_key',
])

/**
 * Whether the name of a setting or option says that its value is a secret.
 *
 * @source Celery 5.7, `celery/app/utils.py`, `filter_hidden_settings`.
 */
export function isSecretName(name: string): boolean {
  return !HARMLESS.has(name) && HIDDEN.test(name)
}

/**
 * A value under its name as it may be printed: a secret replaced, passwords of URLs masked, also inside of objects, lists and
 * JSON texts. Switches are shown whatever their name; an object from outside by the name of its class.
 */
function maskMember(name: string, value: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value
  return isSecretName(name) ? MASK : maskMembers(value)
}

/** The same for a value without a name. */
export function maskMembers(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value)
  if (Array.isArray(value)) return value.map((item: unknown) => maskMembers(item))
  if (typeof value === 'function') return `[function ${value.name}]`
  if (typeof value !== 'object' || value === null) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return `[${value.constructor.name}]`
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskMember(key, member)]))
}

/** An option's value for an error message: on one line, masked by its name. */
export function shownOption(name: string, value: unknown): string {
  return value === undefined ? 'undefined' : JSON.stringify(maskMember(name, value))
}

/** Options come as JSON texts too, in the environment or in a URL. */
function maskText(text: string): string {
  if (!/^\s*[[{]/.test(text)) return maskUrls(text)
  try {
    return JSON.stringify(maskMembers(JSON.parse(text)))
  } catch {
    return isSecretName(text) ? MASK : maskUrls(text)
  }
}
