import { isRecord } from '../../../src/util/record.js'
import type { ConnectionFault } from './sql-connection.js'

/** The same again may succeed at once. */
export const AGAIN: ConnectionFault = { kind: 'unavailable', again: true }
/** Trying later may help. */
export const UNAVAILABLE: ConnectionFault = { kind: 'unavailable', again: false }
/** Another server may help. */
export const ELSEWHERE: ConnectionFault = { ...UNAVAILABLE, isElsewhere: true }
/** Trying again does not help. */
export const REFUSED: ConnectionFault = { kind: 'refused', again: false }

const CODES: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'ENOENT'],
])

// Errors of `pg`, `mysql2` and knex's pool that carry no code.
const WORDS =
  /connection (terminated|ended|error|lost)|closed state|client was closed|not queryable|timeout|timed out|unexpectedly|aborted|pool is (draining|destroyed)|unable to acquire a connection/i

/** The meaning of an error of the connection; `undefined` for one of another kind. */
export function networkFault(error: unknown): ConnectionFault | undefined {
  if (!isRecord(error)) return undefined
  const { code, message, errors, cause } = error
  const inner: readonly unknown[] = Array.isArray(errors) ? errors : [cause]
  const isAway =
    CODES.has(code) ||
    (typeof message === 'string' && WORDS.test(message)) ||
    inner.some((one) => networkFault(one) !== undefined)
  return isAway ? ELSEWHERE : undefined
}
