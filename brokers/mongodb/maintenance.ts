import type { MongoStore } from './store.js'

/** How often a busy consumer looks after what is due and whose lease ran out, in milliseconds. */
const EVERY_MS = 200
/** A look may take this part of the time: without an index it passes over all that waits. */
const LOOKING_PART = 0.1
const SELDOM_MS = 2_000
const ORPHANS_EVERY_MS = 60_000
/** As often as a server with TTL indexes. */
const SWEEP_EVERY_MS = 60_000

/** Makes due messages ready, and gives back what holders had who are gone: each consumer does it for the whole store. */
export class Maintenance {
  readonly #store: MongoStore
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #tookMs = 0
  #orphansAtMs = performance.now() + ORPHANS_EVERY_MS * Math.random()
  #sweepAtMs = 0
  #looking: Promise<number> | undefined

  constructor(store: MongoStore) {
    this.#store = store
  }

  /** Look, if nobody did lately; errors are left to whoever looks next. */
  tend(): void {
    const everyMs = Math.max(EVERY_MS, Math.min(SELDOM_MS, this.#tookMs / LOOKING_PART))
    if (performance.now() - this.#lookedAtMs < everyMs) return
    this.look().catch(() => undefined)
  }

  /** Look. @returns In how many milliseconds the next thing happens; 0 when messages have become ready just now. */
  look(): Promise<number> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<number> {
    const { waiting, holders, changes } = this.#store
    this.#lookedAtMs = performance.now()
    const [dueMs, overMs] = await Promise.all([waiting.nextMs(), holders.nextMs()])
    this.#tookMs = performance.now() - this.#lookedAtMs
    await this.#sweep()
    let moved = 0
    if (dueMs <= 0) moved += await waiting.promote()
    if (overMs <= 0) moved += await holders.reap()
    if (performance.now() >= this.#orphansAtMs) {
      this.#orphansAtMs = performance.now() + ORPHANS_EVERY_MS
      moved += await holders.releaseOrphans()
    }
    if (moved === 0) return Math.max(1, Math.min(dueMs, overMs))
    changes.signal()
    return 0
  }

  async #sweep(): Promise<void> {
    const { settings, features, waiting } = this.#store
    if (!settings.ttl || features.ttl || performance.now() < this.#sweepAtMs) return
    this.#sweepAtMs = performance.now() + SWEEP_EVERY_MS
    await waiting.dropExpired()
  }
}
