import { ConfigError } from '../../errors/errors.js'
import type { ExchangeTypeSetting } from '../routing-settings.js'
import { isPlainObject, shown } from '../../util/shown.js'
import { suggest } from '../../util/suggest.js'

/** A kombu name in camelCase. */
export function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())
}

/** The members of an object by camelCase name; a name that is not known is an error, and `null` counts as left out. */
export function camelMembers(value: unknown, known: ReadonlySet<string>, path: string): Map<string, unknown> {
  if (!isPlainObject(value)) throw new ConfigError(`expected ${path} to be an object, got: ${shown(value)}`)
  const members = new Map<string, unknown>()
  for (const [key, member] of Object.entries(value)) {
    const name = camel(key)
    if (!known.has(name)) {
      const near = suggest(name, known)
      const advice = near === undefined ? `it has ${[...known].join(', ')}` : `did you mean "${near}"?`
      throw new ConfigError(`unknown member "${key}" of ${path}; ${advice}`)
    }
    if (member !== undefined && member !== null) members.set(name, member)
  }
  return members
}

/** A member that is text, if it is there. */
export function textMember(
  given: ReadonlyMap<string, unknown>,
  key: string,
  path: string,
): string | undefined {
  const value = given.get(key)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw new ConfigError(`expected ${path}.${key} to be a non-empty string, got: ${shown(value)}`)
}

/** A member that is a boolean, if it is there. */
export function switchMember(
  given: ReadonlyMap<string, unknown>,
  key: string,
  path: string,
): boolean | undefined {
  const value = given.get(key)
  if (value === undefined || typeof value === 'boolean') return value
  throw new ConfigError(`expected ${path}.${key} to be a boolean, got: ${shown(value)}`)
}

/** A member that is a non-negative integer, if it is there. */
export function countMember(
  given: ReadonlyMap<string, unknown>,
  key: string,
  path: string,
): number | undefined {
  const value = given.get(key)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw new ConfigError(`expected ${path}.${key} to be a non-negative integer, got: ${shown(value)}`)
}

/** A member that is a plain object, if it is there. */
export function dictMember(
  given: ReadonlyMap<string, unknown>,
  key: string,
  path: string,
): Readonly<Record<string, unknown>> | undefined {
  const value = given.get(key)
  if (value === undefined || isPlainObject(value)) return value
  throw new ConfigError(`expected ${path}.${key} to be an object, got: ${shown(value)}`)
}

/** The `exchangeType`, if it is there. */
export function exchangeTypeMember(
  given: ReadonlyMap<string, unknown>,
  path: string,
): ExchangeTypeSetting | undefined {
  const value = given.get('exchangeType')
  if (value === undefined || value === null) return undefined
  if (value === 'direct' || value === 'topic' || value === 'fanout' || value === 'headers') return value
  throw new ConfigError(
    `expected ${path}.exchangeType to be "direct", "topic", "fanout" or "headers", got: ${shown(value)}`,
  )
}
