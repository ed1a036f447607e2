import { MongoBulkWriteError, MongoError, MongoNetworkError, MongoServerSelectionError } from 'mongodb'
import * as store from '../../src/broker/store-failure.js'

// No longer, or not yet, a primary; shutting down; interrupted by a step down; a socket or time limit on the way.
const PASSING_CODES = new Set<unknown>([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])
const PASSING_LABELS = ['RetryableWriteError', 'TransientTransactionError', 'RetryableError', 'ResetPool']
const CLOSED = new Set([
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoExpiredSessionError',
  'MongoOperationTimeoutError',
])

/** Whether the same command may succeed later without a change. */
export function isPassing(error: MongoError): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    CLOSED.has(error.name) ||
    isLostBulk(error) ||
    PASSING_CODES.has(error.code) ||
    PASSING_LABELS.some((label) => error.hasErrorLabel(label))
  )
}

/** Whether a bulk write failed on its way: the driver wraps such an error as if it were the server's, without its class. */
function isLostBulk(error: MongoError): boolean {
  return error instanceof MongoBulkWriteError && error.code === undefined && error.err === undefined
}

/** Do `work` for the broker, what the driver throws as broker errors. */
export async function asBroker<Result>(work: () => Promise<Result>): Promise<Result> {
  return store.asBroker(() => work().catch(fail))
}

/** Do `work` for the result backend, what the driver throws as backend errors. */
export async function asBackend<Result>(work: () => Promise<Result>): Promise<Result> {
  return store.asBackend(() => work().catch(fail))
}

/** What the driver threw, or Node beneath it: a socket that breaks during a write is reported as it is. */
function fail(error: unknown): never {
  if (error instanceof MongoError) {
    throw new store.StoreFailure(
      isPassing(error) ? 'unavailable' : 'refused',
      `mongodb: ${error.message}`,
      error,
    )
  }
  const isOfSystem = typeof error === 'object' && error !== null && 'syscall' in error && 'message' in error
  if (!isOfSystem) throw error
  throw new store.StoreFailure('unavailable', `mongodb: ${String(error.message)}`, error)
}
