import type { LeaseRenewal, Leases } from '../../src/broker/contract.js'
import type { Entry } from './queue.js'
import type { MemoryStore } from './store.js'

/** Renews the claims of whole consumers. */
export class MemoryLeases implements Leases {
  readonly renews = 'holder'
  readonly #store: MemoryStore

  constructor(store: MemoryStore) {
    this.#store = store
  }

  async renew(holderId: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal> {
    this.#store.expireLeases()
    const holder = this.#store.leaseOf(holderId)
    if (holder === undefined || holder.lost) return { held: false, lostTags: tags }
    this.#store.setLease(holder, this.#store.clock.now() + leaseMs)
    return { held: true, lostTags: tags.filter((tag) => !holder.claims.has(tag)) }
  }

  async reconcile(holderId: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal> {
    const renewal = await this.renew(holderId, tags, leaseMs)
    const claims = this.#store.leaseOf(holderId)?.claims ?? new Map<string, Entry>()
    const known = new Set(tags)
    const unknown = [...claims].filter(([tag]) => !known.has(tag))
    for (const [tag, entry] of unknown) {
      claims.delete(tag)
      this.#store.giveBack(entry, { delayMs: 0, unspent: true }, this.#store.clock.now())
    }
    this.#store.changes.signal()
    return renewal
  }
}
