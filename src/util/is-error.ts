import { types } from 'node:util'

/** Whether the value is an error, also one made in another realm (a test runner's sandbox, `node:vm`). */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value)
}
