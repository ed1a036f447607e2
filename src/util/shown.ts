import { maskMembers } from './mask-members.js'

/** A value as an error message shows it: short, on one line, secrets masked. */
export function shown(value: unknown): string {
  // Masked before it is cut: a cut would take away the at sign that ends a password.
  const text = printed(
    isList(value) || isPlainObject(value) || typeof value === 'string' ? maskMembers(value) : value,
  )
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
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
