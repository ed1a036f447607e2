import { inspect } from 'node:util'
import { LovageError } from '../errors/errors.js'

/** What was thrown, as an error; anything else is wrapped and named in the message. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new LovageError(`thrown: ${inspect(thrown, { depth: 1 })}`, { cause: thrown })
}
