import type { Arity } from './definition.js'

/**
 * How many positional arguments a function takes.
 *
 * TypeScript's optional parameters leave no trace at run time, so a task that has one says so with `params` or with a
 * default value. Where the source text leaves a doubt, any number above the least is allowed.
 *
 * @param skipped - Leading parameters that callers do not pass (`self` of a bound task).
 */
export function arityOf(source: (...args: never[]) => unknown, skipped: number): Arity {
  const least = Math.max(0, source.length - skipped)
  return { least, most: isFixed(source) ? least : Infinity }
}

/** The arity that declared parameter names give. */
export function arityOfParams(params: readonly string[]): Arity {
  return { least: params.filter((name) => !name.endsWith('?')).length, most: params.length }
}

/** Whether the parameter list is plain names only: no default, rest, pattern or native code. */
function isFixed(source: (...args: never[]) => unknown): boolean {
  const text = Function.prototype.toString.call(source)
  const open = text.indexOf('(')
  const close = text.indexOf(')', open)
  if (open === -1 || close === -1) return false
  const list = text.slice(open + 1, close)
  if (/[=.{[(]/.test(list)) return false
  return list.split(',').filter((name) => name.trim() !== '').length === source.length
}
