import { BrokerConnectionError, BrokerError, LovageError } from '../../src/errors/errors.js'

/** Reply codes that the same call will get again: refused access, an unknown virtual host, clashing arguments. */
const LASTING: ReadonlySet<number> = new Set([403, 404, 405, 406, 530, 540])
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/

/** The reply code of an error that the server gave, if it has one. */
export function replyCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}

/** What the client library threw, as an error of ours that says whether trying again can help. */
export function toFailure(error: unknown, label: string): LovageError {
  if (error instanceof LovageError) return error
  const message = `${label}: ${messageOf(error)}`
  return isLasting(error)
    ? new BrokerError(message, { cause: error })
    : new BrokerConnectionError(message, { cause: error })
}

function isLasting(error: unknown): boolean {
  const code = replyCode(error)
  if (code !== undefined) return LASTING.has(code)
  if (!(error instanceof Error)) return false
  if ('code' in error && CERTIFICATE.test(String(error.code))) return true
  return /\b(403|530)\b|ACCESS_REFUSED|NOT_ALLOWED|SASL mechanism/.test(error.message) || isRefusedHost(error)
}

/** The library keeps the server's words to itself. */
function isRefusedHost(error: Error): boolean {
  return error.message.startsWith('Expected ConnectionOpenOk; got <ConnectionClose')
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (isRefusedHost(error))
    return 'the server refused the virtual host: it does not exist, or is not open to this user'
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}
