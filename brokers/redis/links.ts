import { RedisLink } from './link.js'
import type { ServerTarget } from './target.js'

interface Shared {
  readonly link: RedisLink
  users: number
}

const shared = new Map<string, Shared>()

/** A user's hold on a shared link. */
export interface LinkLease {
  readonly link: RedisLink
  /** Give it up; the last one closes it. Idempotent. */
  release(): void
}

/** Whether this process uses one database alone, which leaves room for another connection. */
export function isOnlyLink(): boolean {
  return shared.size === 1
}

/** The link of this process to a target: the same for all who ask while one of them uses it. */
export function leaseLink(target: ServerTarget): LinkLease {
  const entry = shared.get(target.identity) ?? { link: new RedisLink(target), users: 0 }
  shared.set(target.identity, entry)
  entry.users += 1
  let isReleased = false
  return {
    link: entry.link,
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
