import {
  BackendConnectionError,
  BackendError,
  BrokerConnectionError,
  BrokerError,
  LovageError,
  StoreDamagedError,
} from '../../src/errors/errors.js'

/** What a database's error means to the caller: try again later, or do not. */
export type FailureKind = 'unavailable' | 'refused'

/** A statement failed in the database. Never leaves the driver: its edge turns it into a broker or backend error. */
export class SqlFailure extends LovageError {
  /** Whether trying again can help. */
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, cause: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

/** Work was cancelled while it waited for its turn, or undone before its commit: nothing of it was done. */
export class NotBegun extends SqlFailure {
  constructor() {
    super('unavailable', 'its turn had not come when it was cancelled; nothing was written', undefined)
  }
}

/** A file is damaged, or no database. */
export class DamagedFile extends SqlFailure {
  /** Absolute path. */
  readonly path: string

  constructor(path: string, message: string, cause: unknown) {
    super('refused', message, cause)
    this.path = path
  }
}

/** Do `work` for the broker, its failures as broker errors. */
export async function asBroker<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toBrokerError(error)
  }
}

/** Do `work` for the result backend, its failures as backend errors. */
export async function asBackend<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toBackendError(error)
  }
}

function toBrokerError(error: unknown): unknown {
  if (error instanceof DamagedFile)
    return new StoreDamagedError(error.path, error.message, { cause: error.cause })
  if (error instanceof SqlFailure) {
    const Failure = error.kind === 'unavailable' ? BrokerConnectionError : BrokerError
    return new Failure(error.message, { cause: error.cause })
  }
  return error
}

function toBackendError(error: unknown): unknown {
  if (error instanceof SqlFailure) {
    const Failure = error.kind === 'unavailable' ? BackendConnectionError : BackendError
    return new Failure(error.message, { cause: error.cause })
  }
  return error
}
