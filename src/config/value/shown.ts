import { maskUrl } from '../../util/mask-url.js'

/** A value as an error message shows it: short, on one line, passwords of URLs masked. */
export function shown(value: unknown): string {
  const text = printed(value)
  return maskUrl(text.length > 120 ? `${text.slice(0, 117)}...` : text)
}

/** A value on one line, whole and unmasked. */
export function printed(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${value.name}`
  if (typeof value === 'bigint') return `${value.toString()}n`
  if (typeof value === 'number' || value === undefined) return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return 'an object'
  }
}

/** Whether a value is an object made by braces or `JSON.parse`, in whichever realm. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether a value is an array, its elements unknown. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
