import {
  BackendConnectionError,
  BackendError,
  BrokerConnectionError,
  BrokerError,
  LovageError,
} from '../errors/errors.js'

/** A store refused or failed. Never leaves the driver: its edge turns it into a broker or backend error. */
export class StoreFailure<Kind extends string = never> extends LovageError {
  /** What it means to the caller: try again later (`unavailable`), or something that trying again does not help. */
  readonly kind: 'unavailable' | 'refused' | Kind

  constructor(kind: 'unavailable' | 'refused' | Kind, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }

  /** The error of the broker that tells it to the core. */
  toBrokerError(): BrokerError {
    const Failure = this.kind === 'unavailable' ? BrokerConnectionError : BrokerError
    return new Failure(this.message, { cause: this.cause })
  }

  /** The error of the result backend that tells it to the core. */
  toBackendError(): BackendError {
    const Failure = this.kind === 'unavailable' ? BackendConnectionError : BackendError
    return new Failure(this.message, { cause: this.cause })
  }
}

/** Do `work` for the broker, its failures as broker errors. */
export async function asBroker<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof StoreFailure ? error.toBrokerError() : error
  }
}

/** Do `work` for the result backend, its failures as backend errors. */
export async function asBackend<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof StoreFailure ? error.toBackendError() : error
  }
}
