import {
  BackendConnectionError,
  BackendError,
  BrokerConnectionError,
  BrokerError,
  LovageError,
} from '../../src/errors/errors.js'

/** What a server's answer means to the caller: try again later, or do not. */
export type FailureKind = 'unavailable' | 'refused'

/** A command failed. Never leaves the driver: its edge turns it into a broker or backend error. */
export class RedisFailure extends LovageError {
  /** Whether trying again can help. */
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

// Answers of a server that is up and will answer otherwise in a while.
const PASSING =
  /^(LOADING|MOVED|ASK|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS|OOM|MISCONF|UNBLOCKED)\b/

/** Anything that a command rejected with, as a {@link RedisFailure}. */
export function toFailure(error: unknown, server: string): RedisFailure {
  if (error instanceof RedisFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  const answered = error instanceof Error && error.name === 'ReplyError'
  if (answered && !PASSING.test(message)) return new RedisFailure('refused', message, error)
  return new RedisFailure('unavailable', `${server}: ${message}`, error)
}

/** Do `work` for the broker, its failures as broker errors. */
export async function asBroker<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof RedisFailure)) throw error
    const Failure = error.kind === 'unavailable' ? BrokerConnectionError : BrokerError
    throw new Failure(error.message, { cause: error.cause })
  }
}

/** Do `work` for the result backend, its failures as backend errors. */
export async function asBackend<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof RedisFailure)) throw error
    const Failure = error.kind === 'unavailable' ? BackendConnectionError : BackendError
    throw new Failure(error.message, { cause: error.cause })
  }
}
