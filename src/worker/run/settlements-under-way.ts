import type { ClaimWindow } from '../claim/claim-window.js'
import type { ItemClaims, SettleItem } from '../settle/settle-item.js'

/**
 * The settlements that wait for a store.
 *
 * Those of a lost connection may wait until its server comes back, which need not happen: they no longer count in the claim
 * window, so that a worker that is connected to another server goes on.
 */
export class SettlementsUnderWay {
  readonly #window: Pick<ClaimWindow, 'settling' | 'settled'>
  /** Each with the claims that it counts for in the window; `undefined` once their connection is lost. */
  readonly #items = new Map<SettleItem, ItemClaims | undefined>()
  readonly #lost = new WeakSet<ItemClaims>()

  constructor(window: Pick<ClaimWindow, 'settling' | 'settled'>) {
    this.#window = window
  }

  /** All of them, those of lost connections too. */
  get count(): number {
    return this.#items.size
  }

  /** A settlement is on its way. */
  begin(item: SettleItem): void {
    const { claims } = item
    const counts = !this.#lost.has(claims)
    this.#items.set(item, counts ? claims : undefined)
    if (counts) this.#window.settling()
  }

  /** It is done with. */
  end(item: SettleItem): void {
    const counts = this.#items.get(item) !== undefined
    this.#items.delete(item)
    if (counts) this.#window.settled()
  }

  /** The connection of these claims is lost. */
  lose(claims: ItemClaims): void {
    this.#lost.add(claims)
    for (const [item, counted] of this.#items) {
      if (counted !== claims) continue
      this.#items.set(item, undefined)
      this.#window.settled()
    }
  }
}
