import type { TaskLogger } from '../../task/logger.js'
import type { Clock } from '../../util/clock.js'
import { renewEveryMs, type HeldLease, type LeaseKeeper, type TagChange } from './keeper.js'
import { Renewals } from './renewals.js'

/** What a {@link LocalKeeper} works with. */
export interface LocalKeeperParts {
  readonly leaseMs: number
  readonly clock: Clock
  readonly logger: TaskLogger
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
      this.#parts.logger.warn({ err: error }, 'claims could not be renewed; trying again')
    }
  }
}
