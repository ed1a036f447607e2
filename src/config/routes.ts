import { ConfigError } from '../errors/errors.js'
import type { RouteFunction, RouteObject, RouteRule, RouteSetting, RouteTarget } from './routing-settings.js'
import { camel, countMember, exchangeTypeMember, textMember } from './value/members.js'
import { isList, isPlainObject, shown } from '../util/shown.js'

/** Reads `taskRoutes` in any of its forms; Celery's member names of a target are read too. */
export function readRoutes(value: unknown, name: string): readonly RouteSetting[] {
  if (!isList(value) || (isPair(value) && typeof value[1] !== 'string')) return [readRoute(value, name)]
  return value.map((item, index) => readRoute(item, `${name}[${index}]`))
}

function readRoute(value: unknown, path: string): RouteSetting {
  if (typeof value === 'string' && value !== '') return { path: value }
  const route = asRouteFunction(value)
  if (route !== undefined) return { route }
  if (isPair(value)) return { rules: [readRule(value[0], value[1], path)] }
  if (isList(value)) return { rules: readPairs(value, path) }
  if (isPlainObject(value)) {
    return {
      rules: Object.entries(value).map(([pattern, target]) =>
        readRule(pattern, target, `${path}["${pattern}"]`),
      ),
    }
  }
  throw new ConfigError(
    `expected ${path} to be an object of patterns and targets, a list of pairs, a function, an object with ` +
      `routeForTask or the path of one, got: ${shown(value)}`,
  )
}

function readPairs(pairs: readonly unknown[], path: string): readonly RouteRule[] {
  return pairs.map((pair, index) => {
    if (isPair(pair)) return readRule(pair[0], pair[1], `${path}[${index}]`)
    throw new ConfigError(
      `expected ${path}[${index}] to be a pair of pattern and target, got: ${shown(pair)}`,
    )
  })
}

function readRule(pattern: string | RegExp, target: unknown, path: string): RouteRule {
  return { pattern, target: readTarget(target, path) }
}

/** Reads where a route sends a task: a queue, or an object in our spelling or Celery's. */
export function readTarget(value: unknown, path: string): RouteTarget {
  if (typeof value === 'string' && value !== '') return { queue: value }
  if (!isPlainObject(value)) {
    throw new ConfigError(
      `expected ${path} to be a queue name or an object such as { queue: "feeds" }, got: ${shown(value)}`,
    )
  }
  const given = new Map<string, unknown>()
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined && member !== null) given.set(camel(key), member)
  }
  textMember(given, 'queue', path)
  textMember(given, 'exchange', path)
  textMember(given, 'routingKey', path)
  countMember(given, 'priority', path)
  exchangeTypeMember(given, path)
  return Object.fromEntries(given)
}

function isPair(value: unknown): value is readonly [string | RegExp, unknown] {
  if (!isList(value) || value.length !== 2 || isPair(value[1])) return false
  return typeof value[0] === 'string' || value[0] instanceof RegExp
}

/** A function, or an object with `routeForTask`, as a function; `undefined` for anything else. */
export function asRouteFunction(value: unknown): RouteFunction | undefined {
  if (isRouteFunction(value)) return value
  return isRouteObject(value) ? (...call) => value.routeForTask(...call) : undefined
}

function isRouteFunction(value: unknown): value is RouteFunction {
  return typeof value === 'function'
}

function isRouteObject(value: unknown): value is RouteObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    'routeForTask' in value &&
    typeof value.routeForTask === 'function'
  )
}
