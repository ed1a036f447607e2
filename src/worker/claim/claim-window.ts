import { MOST_AT_ONCE } from './read-ahead.js'
import type { ReadAhead } from './read-ahead.js'

/** How far claims may go. */
export interface ClaimWindowOptions {
  readonly concurrency: number
  /** Claims, settling ones included, per slot; `Infinity` for no bound. */
  readonly prefetchMultiplier: number
  readonly readAhead: ReadAhead
}

/**
 * Counts claims by state and says how many more may be made: into free slots, plus what is read ahead, within the
 * bound on everything that is not settled.
 */
export class ClaimWindow {
  readonly #options: ClaimWindowOptions
  #running = 0
  #buffered = 0
  #settling = 0
  #mode: 'free' | 'one-by-one' | 'closed' = 'free'
  #waiter: (() => void) | undefined

  constructor(options: ClaimWindowOptions) {
    this.#options = options
  }

  /** Most claims that are ever held at once: the consumer's credit. */
  get most(): number {
    const { concurrency, readAhead, prefetchMultiplier } = this.#options
    const free = 2 * (concurrency + readAhead.most)
    return Math.max(1, Math.min(free, Math.floor(concurrency * prefetchMultiplier)))
  }

  /** `'one-by-one'`: nothing is claimed while anything else waits or is being settled; `'closed'`: nothing is claimed. */
  set mode(mode: 'free' | 'one-by-one' | 'closed') {
    this.#mode = mode
    this.wake()
  }

  /** Whether nothing waits for a slot or for a store. */
  get isSettled(): boolean {
    return this.#buffered === 0 && this.#settling === 0
  }

  /** Whether a slot is free. */
  get isIdle(): boolean {
    return this.#mode !== 'closed' && this.#buffered === 0 && this.#running < this.#options.concurrency
  }

  /** What was read ahead did not get its turn in time: read nothing ahead until the speed is measured again. */
  forgetSpeed(): void {
    this.#options.readAhead.reset()
  }

  /** Deliveries to claim now. */
  room(): number {
    if (this.#mode !== 'free') {
      const isFree = this.#running < this.#options.concurrency
      return this.#mode === 'one-by-one' && this.isSettled && isFree ? 1 : 0
    }
    const { concurrency, readAhead } = this.#options
    const batch = concurrency + Math.min(readAhead.count, MOST_AT_ONCE)
    const active = this.#running + this.#buffered
    const unsettled = this.most - active - this.#settling
    const want = Math.min(concurrency + readAhead.count - active, unsettled, batch)
    if (this.#buffered > this.#leastBuffered()) return 0
    // Short tasks are about to be settled: then there is room for more.
    if (readAhead.count > 0 && this.#settling > 0 && unsettled < batch / 2) return 0
    return Math.max(0, want)
  }

  /** With more work at hand than this, wait until a batch is worth its round trip. */
  #leastBuffered(): number {
    const { count } = this.#options.readAhead
    // Of the shortest tasks one batch is fetched while another runs: neither waits for the store.
    return count > MOST_AT_ONCE ? count - MOST_AT_ONCE : count / 8
  }

  /** Resolves with a number above 0 as soon as there is room; with 0 when the signal aborts. One caller at a time. */
  async free(signal: AbortSignal): Promise<number> {
    while (!signal.aborted) {
      const room = this.room()
      if (room > 0) return room
      await this.#woken(signal)
    }
    return 0
  }

  /** Look again whether there is room. */
  wake(): void {
    if (this.#waiter !== undefined && this.room() > 0) this.#waiter()
  }

  /** A delivery waits for a slot. */
  buffered(): void {
    this.#buffered += 1
  }

  /** A delivery left the buffer. */
  unbuffered(): void {
    this.#buffered -= 1
  }

  /** A slot was taken. */
  began(): void {
    this.#running += 1
  }

  /** A slot is free again; how long the body took, where that says something about the speed. */
  ended(tookMs?: number): void {
    this.#running -= 1
    if (tookMs !== undefined) this.#options.readAhead.observe(tookMs)
  }

  /** A settlement is on its way. */
  settling(): void {
    this.#settling += 1
  }

  /** A settlement is done with. */
  settled(): void {
    this.#settling -= 1
    this.wake()
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiter = undefined
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiter = wake
      signal.addEventListener('abort', wake)
    })
  }
}
