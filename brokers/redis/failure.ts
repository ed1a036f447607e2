import { StoreFailure } from '../../src/broker/store-failure.js'

/** A command failed. */
export class RedisFailure extends StoreFailure {}

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
