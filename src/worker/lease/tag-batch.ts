import type { LeaseKeeper } from '../../broker/lease-keeper.js'

/** Gathers the claims that came and went in one turn of the event loop, and tells the keeper once. */
export class TagBatch {
  readonly #keeper: LeaseKeeper
  readonly #holder: string
  #added: string[] = []
  #removed: string[] = []
  #isDue = false

  constructor(keeper: LeaseKeeper, holder: string) {
    this.#keeper = keeper
    this.#holder = holder
  }

  /** A claim came or went. */
  change(tag: string, isClaimed: boolean): void {
    if (isClaimed) this.#added.push(tag)
    else this.#removed.push(tag)
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => this.flush())
  }

  /** Tell the keeper now: what runs next may block the event loop. */
  flush(): void {
    if (!this.#isDue) return
    this.#isDue = false
    const change = { added: this.#added, removed: this.#removed }
    this.#added = []
    this.#removed = []
    this.#keeper.changed(this.#holder, change)
  }
}
