import { RedisConnection } from './connection.js'
import type { ServerTarget } from './target.js'

interface Shared {
  readonly connection: RedisConnection
  users: number
}

const shared = new Map<string, Shared>()

/** A user's hold on a shared connection. */
export interface ConnectionLease {
  readonly connection: RedisConnection
  /** Give it up; the last one closes it. Idempotent. */
  release(): void
}

/** Whether this process uses one database alone, which leaves room for another connection. */
export function isOnlyConnection(): boolean {
  return shared.size === 1
}

/** The connection of this process to a target: the same for all who ask while one of them uses it. */
export function acquireConnection(target: ServerTarget): ConnectionLease {
  const entry = shared.get(target.identity) ?? { connection: new RedisConnection(target), users: 0 }
  shared.set(target.identity, entry)
  entry.users += 1
  let isReleased = false
  return {
    connection: entry.connection,
    release: () => {
      if (isReleased) return
      isReleased = true
      entry.users -= 1
      if (entry.users > 0) return
      shared.delete(target.identity)
      entry.connection.close()
    },
  }
}
