import type { ClaimWindow } from '../claim/claim-window.js'
import type { ItemClaims, SettleItem } from '../settle/settle-item.js'
import type { Run } from './run.js'

/**
 * What a worker has to wait for before it ends: runs that hold a slot, settlements that wait for a store, and what follows
 * both. It counts in the claim window.
 *
 * The settlements of a lost connection may wait until its server comes back, which need not happen: they no longer count in the
 * window, so that a worker that is connected to another server goes on.
 */
export class UnderWay {
  readonly #window: Pick<ClaimWindow, 'began' | 'ended' | 'settling' | 'settled'>
  readonly #running = new Set<Run>()
  /** Each with the claims that it counts for in the window; `undefined` once their connection is lost. */
  readonly #settlements = new Map<SettleItem, ItemClaims | undefined>()
  readonly #lost = new WeakSet<ItemClaims>()
  #following = 0
  #waiters: (() => void)[] = []

  constructor(window: Pick<ClaimWindow, 'began' | 'ended' | 'settling' | 'settled'>) {
    this.#window = window
  }

  /** Runs that hold a slot. */
  get running(): ReadonlySet<Run> {
    return this.#running
  }

  /** Settlements that wait for a store, those of lost connections too. */
  get settlements(): number {
    return this.#settlements.size
  }

  /** A run takes a slot. */
  begin(run: Run): void {
    this.#running.add(run)
    this.#window.began()
  }

  /** Its slot is free again; how long its body took, where that says something about the speed. */
  end(run: Run, tookMs?: number): void {
    this.#running.delete(run)
    this.#window.ended(tookMs)
  }

  /** A settlement is on its way. */
  settling(item: SettleItem): void {
    const { claims } = item
    const counts = !this.#lost.has(claims)
    this.#settlements.set(item, counts ? claims : undefined)
    if (counts) this.#window.settling()
  }

  /** It is done with. */
  settled(item: SettleItem): void {
    const counts = this.#settlements.get(item) !== undefined
    this.#settlements.delete(item)
    if (counts) this.#window.settled()
  }

  /** The connection of these claims is lost. */
  lose(claims: ItemClaims): void {
    this.#lost.add(claims)
    for (const [item, counted] of this.#settlements) {
      if (counted !== claims) continue
      this.#settlements.set(item, undefined)
      this.#window.settled()
    }
  }

  /** What follows a body or a settlement, to be waited for. It never rejects. */
  follow(work: Promise<void>, then?: () => void): void {
    this.#following += 1
    void work.then(() => {
      this.#following -= 1
      then?.()
    })
  }

  /** Something ended: let those look who wait. */
  notify(): void {
    const waiters = this.#waiters
    if (waiters.length === 0) return
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }

  /** Resolves when nothing runs and nothing waits for a store. */
  async drained(): Promise<void> {
    while (this.#running.size > 0 || this.#following > 0 || this.#settlements.size > 0) await this.#notified()
  }

  /** Resolves when no body runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await this.#notified()
  }

  #notified(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }
}
