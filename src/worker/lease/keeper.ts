import type { Leases } from '../../broker/contract.js'

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
export interface HeldLease {
  readonly holder: string
  /** Renews from this thread, for a keeper that has no connection of its own. */
  readonly leases: Leases
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
