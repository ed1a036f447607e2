import { BrokerError, LovageError } from '../errors/errors.js'

/** What a driver threw, as an error of ours: its own typed errors as they are, anything else as the cause of one. */
export function toBrokerError(thrown: unknown, doing: string): LovageError {
  if (thrown instanceof LovageError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new BrokerError(`${doing} failed: ${message}`, { cause: thrown })
}
