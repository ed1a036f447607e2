import { RedisConnection } from './connection.js'
import type { ServerTarget } from './target.js'

interface Shared {
  readonly link: RedisConnection
  users: number
}

const shared = new Map<string, Shared>()

/** A user's hold on a shared link. */
export interface ConnectionLease {
  readonly connection: RedisConnection
  /** Give it up; the last one closes it. Idempotent. */
  release(): void
}

/** Whether this process uses one database alone, which leaves room for another connection. */
export function isOnlyConnection(): boolean {
  return shared.size === 1
}

/** The link of this process to a target: the same for all who ask while one of them uses it. */
export function acquireConnection(target: ServerTarget): ConnectionLease {
  const entry = shared.get(target.identity) ?? { link: new RedisConnection(target), users: 0 }
  shared.set(target.identity, entry)
  entry.users += 1
  let isReleased = false
  return {
    connection: entry.link,
    release: () => {
      if (isReleased) return
      isReleased = true
      entry.users -= 1
      if (entry.users > 0) return
      shared.delete(target.identity)
      entry.link.close()
    },
  }
}
