import type { ErrorMatcher } from './options.js'

/** Whether any of the matchers names this error. */
export function matchesAny(error: unknown, matchers: readonly ErrorMatcher[] | undefined): boolean {
  return matchers?.some((matcher) => matches(error, matcher)) ?? false
}

function matches(error: unknown, matcher: ErrorMatcher): boolean {
  if (typeof matcher === 'string') return namesOf(error).includes(matcher)
  if (isErrorClass(matcher)) return error instanceof matcher
  return matcher(error)
}

/** A class is told from a predicate by its prototype: only error classes inherit from `Error`. */
function isErrorClass(
  matcher: Exclude<ErrorMatcher, string>,
): matcher is Extract<ErrorMatcher, abstract new (...args: never[]) => unknown> {
  return (
    matcher === Error ||
    matcher.prototype instanceof Error ||
    /^class\b/.test(Function.prototype.toString.call(matcher))
  )
}

function namesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return []
  const names = [error.name]
  for (
    let proto: unknown = error;
    proto !== null && proto !== undefined;
    proto = Object.getPrototypeOf(proto)
  ) {
    if (typeof proto === 'object') names.push(proto.constructor.name)
  }
  return names
}
