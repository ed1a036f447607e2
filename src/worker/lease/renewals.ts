import { setTimeout as sleep } from 'node:timers/promises'
import type { LeaseRenewal, Leases } from '../../broker/contract.js'
import type { TagChange } from './keeper.js'

/** A claim that was settled while it was renewed looks lost, until whoever settled it has said so. */
const SETTLED_WITHIN_MS = 100

/** What a round of renewals found, told as it is found. */
export interface RenewalListener {
  /** Claims that are lost: those of the tags, or all of the holder's. */
  lost(holder: string, tags?: readonly string[]): void
}

/** Claims of a worker whose event loop stands still. */
export interface TakenBack {
  /** Tags of those that have not started. */
  readonly waiting: readonly string[]
  /** Tags of the others. */
  readonly kept: readonly string[]
}

/** The holders and, where each has to be named, the claims that are renewed; the same in any thread. */
export class Renewals {
  readonly #holders = new Map<string, Set<string>>()
  /** Those that claim no more: their claims are all known. */
  readonly #reconciled = new Set<string>()

  /** How many holders there are. */
  get size(): number {
    return this.#holders.size
  }

  /** Renew this holder from the next round on. */
  hold(holder: string): void {
    if (!this.#holders.has(holder)) this.#holders.set(holder, new Set())
  }

  /** Note claims that came and went. */
  change(holder: string, { added, removed }: TagChange): void {
    const tags = this.#holders.get(holder)
    if (tags === undefined) return
    for (const tag of added) tags.add(tag)
    for (const tag of removed) tags.delete(tag)
  }

  /** The holder claims no more: these are its claims, and what else the store has of it goes back in every round. */
  reconcile(holder: string, tags: readonly string[]): void {
    if (!this.#holders.has(holder)) return
    this.#holders.set(holder, new Set(tags))
    this.#reconciled.add(holder)
  }

  /**
   * Give back the claims that wait, of every holder: at once where the store can, else as soon as their leases end.
   *
   * @throws what the store throws.
   */
  async takeBack(leases: Leases, leaseMs: number, claims: TakenBack): Promise<void> {
    for (const [holder, tags] of [...this.#holders]) {
      if (leases.renews === 'tags') for (const tag of claims.waiting) tags.delete(tag)
      // What is lost by then is told by the next round.
      else await leases.reconcile?.(holder, claims.kept, leaseMs)
    }
  }

  /** Renew this holder no more. */
  release(holder: string): void {
    this.#holders.delete(holder)
    this.#reconciled.delete(holder)
  }

  /** Renew everything once. @throws what the store throws; the holders not reached wait for the next round. */
  async round(leases: Leases, leaseMs: number, listener: RenewalListener): Promise<void> {
    for (const [holder, tags] of [...this.#holders]) {
      if (leases.renews === 'tags' && tags.size === 0) continue
      const { held, lostTags } = await this.#renew(leases, holder, leaseMs)
      if (lostTags.length > 0) await sleep(SETTLED_WITHIN_MS)
      const gone = lostTags.filter((tag) => tags.has(tag))
      // A holder without claims has nothing to lose, and a claim that came meanwhile is not in the answer.
      if (!held && gone.length === lostTags.length) listener.lost(holder)
      else if (gone.length > 0) listener.lost(holder, gone)
      for (const tag of gone) tags.delete(tag)
    }
  }

  #renew(leases: Leases, holder: string, leaseMs: number): Promise<LeaseRenewal> {
    const tags = [...(this.#holders.get(holder) ?? [])]
    if (this.#reconciled.has(holder) && leases.reconcile !== undefined)
      return leases.reconcile(holder, tags, leaseMs)
    return leases.renew(holder, leases.renews === 'tags' ? tags : [], leaseMs)
  }
}
