import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../util/clock.js'
import { toError } from '../util/to-error.js'
import type { LeaseRenewal, Leases } from './contract.js'
import type { Lease } from './lease-of.js'

/** Keeps the claims of consumers alive while their tasks run. */
export interface LeaseKeeper {
  /** Renew the claims of a holder from now on. */
  hold(lease: HeldLease): void
  /** Claims that came and went, where each one has to be named; claims that went after {@link reconcile}. */
  changed(holder: string, change: TagChange): void
  /** The holder claims no more: renew only these claims from now on, and give back what else it has. */
  reconcile(holder: string, tags: readonly string[]): void
  /** Renew no more: nothing of the holder is in use. */
  release(holder: string): void
  /** Let go of everything. Idempotent. */
  stop(): Promise<void>
}

/** Claims that a keeper renews. */
export interface HeldLease extends Lease {
  /** Called when the store says that claims are lost: those of the tags, or all of the holder's. */
  readonly lost: (tags?: ReadonlySet<string>) => void
}

/** How the claims of a holder changed. */
export interface TagChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** How often claims are renewed: three times in each lease, so that one renewal may fail. */
export function renewEveryMs(leaseMs: number): number {
  return Math.max(50, Math.floor(leaseMs / 3))
}

/** For brokers whose claims last as long as their connection. */
export const noKeeper: LeaseKeeper = {
  hold: () => undefined,
  changed: () => undefined,
  reconcile: () => undefined,
  release: () => undefined,
  stop: async () => undefined,
}

/** A claim that was settled while it was renewed looks lost, until its settlement is reported. */
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

/** What a {@link LocalKeeper} works with. */
export interface LocalKeeperParts {
  readonly leaseMs: number
  readonly clock: Clock
  /** A round of renewals failed; the next one tries again. */
  readonly failed: (error: Error) => void
}

/**
 * Renews claims from this thread, for stores that no other thread can open: a body that blocks the event loop longer
 * than the lease loses its claim.
 */
export class LocalKeeper implements LeaseKeeper {
  readonly #parts: LocalKeeperParts
  readonly #held = new Map<string, { readonly lease: HeldLease; readonly renewals: Renewals }>()
  #cancel: (() => void) | undefined
  #isStopped = false

  constructor(parts: LocalKeeperParts) {
    this.#parts = parts
    this.#arm()
  }

  hold(lease: HeldLease): void {
    const renewals = new Renewals()
    renewals.hold(lease.holder)
    this.#held.set(lease.holder, { lease, renewals })
  }

  changed(holder: string, change: TagChange): void {
    this.#held.get(holder)?.renewals.change(holder, change)
  }

  reconcile(holder: string, tags: readonly string[]): void {
    const held = this.#held.get(holder)
    if (held === undefined) return
    held.renewals.reconcile(holder, tags)
    // Cannot reject: it catches.
    void this.#renewOne(held.lease, held.renewals)
  }

  release(holder: string): void {
    this.#held.delete(holder)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
  }

  #arm(): void {
    if (this.#isStopped) return
    const { clock, leaseMs } = this.#parts
    // Cannot reject: #renew catches.
    this.#cancel = clock.setTimer(renewEveryMs(leaseMs), () => void this.#renew(), { unref: true })
  }

  async #renew(): Promise<void> {
    for (const { lease, renewals } of [...this.#held.values()]) await this.#renewOne(lease, renewals)
    this.#arm()
  }

  async #renewOne({ leases, lost }: HeldLease, renewals: Renewals): Promise<void> {
    try {
      await renewals.round(leases, this.#parts.leaseMs, {
        lost: (_holder, tags) => lost(tags === undefined ? undefined : new Set(tags)),
      })
    } catch (error) {
      this.#parts.failed(toError(error))
    }
  }
}
