import { inspect } from 'node:util'
import { LovageError } from '../errors/errors.js'

/**
 * What was thrown, as an error that can be read and logged: anything else is wrapped and named in the message.
 *
 * Never throws, whatever the getters, proxies and printers of a user's value do.
 */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && isReadable(thrown)) return thrown
    return new LovageError(`thrown: ${inspect(thrown, { depth: 1 })}`, { cause: thrown })
  } catch {
    return new LovageError('thrown: a value that cannot be described')
  }
}

/** Whether name, message and stack are text; one of them may be a getter that throws. */
function isReadable({ name, message, stack }: Error): boolean {
  return [name, message, stack ?? ''].every((part: unknown) => typeof part === 'string')
}
