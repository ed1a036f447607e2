import { StoreFailure } from '../../src/broker/store-failure.js'
import { LovageError } from '../../src/errors/errors.js'

/** A request failed; also since the queue is not there (`missing`) or the claim is over (`stale`). */
export class SqsFailure extends StoreFailure<'missing' | 'stale'> {}

const MISSING = /QueueDoesNotExist|NonExistentQueue|QueueDeletedRecently/
const STALE = /ReceiptHandleIsInvalid|MessageNotInflight|receipt handle has expired/i
const PASSING =
  /Throttl|TooManyRequests|RequestLimit|OverLimit|Unavailable|InternalError|InternalFailure|PurgeQueueInProgress/
/** What no answer can help: asking again ends the same way. */
const OURS = /Credentials|TokenProvider|^TypeError$/
const NO_REGION = 'Region is missing'
/** What the SDK calls an answer without a code: from a proxy, or a server that is not up yet. */
const NAMELESS = new Set(['Error', 'Unknown', 'UnknownError', 'SyntaxError'])

/** What the code and the words of an answer say; `isOurs` when the request itself was at fault. */
export function kindOf(code: string, message: string, isOurs: boolean): SqsFailure['kind'] {
  if (MISSING.test(code)) return 'missing'
  if (STALE.test(code) || STALE.test(message)) return 'stale'
  if (PASSING.test(code)) return 'unavailable'
  return isOurs ? 'refused' : 'unavailable'
}

/** Anything that a request rejected with, as a {@link SqsFailure}. */
export function toFailure(error: unknown, label: string): SqsFailure {
  if (error instanceof SqsFailure) return error
  if (!(error instanceof Error)) return new SqsFailure('refused', String(error), error)
  const code = 'code' in error ? String(error.code) : ''
  const kind = kindOf(error.name, error.message, isOurs(error))
  const name = error.name === 'Error' ? '' : `${error.name}: `
  const words = error.message === '' ? code : error.message
  return new SqsFailure(kind, `${label}: ${name}${words}`, error)
}

/** Whether the request was at fault: the service said so by a code, or it could not even be made. */
function isOurs(error: Error): boolean {
  if (error instanceof LovageError || OURS.test(error.name) || error.message === NO_REGION) return true
  const status = statusOf(error)
  if (status === undefined || NAMELESS.has(error.name)) return false
  return status >= 400 && status < 500 && status !== 429
}

function statusOf(error: Error): number | undefined {
  if (!('$metadata' in error)) return undefined
  const metadata: unknown = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}
