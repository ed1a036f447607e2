import type { Broker, Consumer } from '../../broker/contract.js'
import type { Settler } from '../settle/settler.js'

/**
 * The claims of one consumer, from its first fetch to its close.
 *
 * A consumer whose connection was lost is kept, and its lease renewed, until none of its claims is in use: closing it
 * would give back what still runs.
 */
export class ClaimSet {
  readonly broker: Broker
  readonly consumer: Consumer
  /** Writes the ends of these claims. */
  readonly settler: Settler
  /** Called for each claim that came or went, where the keeper names them. */
  readonly changed: ((tag: string, isClaimed: boolean) => void) | undefined
  /** Hands what {@link changed} was told over to the keeper, before a body may block the event loop. */
  readonly flush: (() => void) | undefined
  readonly #tags = new Set<string>()
  #emptied: (() => void) | undefined

  constructor(parts: Pick<ClaimSet, 'broker' | 'consumer' | 'settler' | 'changed' | 'flush'>) {
    this.broker = parts.broker
    this.consumer = parts.consumer
    this.settler = parts.settler
    this.changed = parts.changed
    this.flush = parts.flush
  }

  /** Whether these claims end with their connection; else they outlive it, as long as they are renewed. */
  get endWithConnection(): boolean {
    return this.broker.capabilities.claims === 'connection'
  }

  /** How many claims are not settled. */
  get inUse(): number {
    return this.#tags.size
  }

  /** The tags of the claims that are not settled. */
  get tags(): readonly string[] {
    return [...this.#tags]
  }

  /** A delivery was claimed. */
  take(tag: string): void {
    this.#tags.add(tag)
    this.changed?.(tag, true)
  }

  /** A claim was settled, lost or dropped. */
  release(tag: string): void {
    this.#tags.delete(tag)
    this.changed?.(tag, false)
    if (this.#tags.size === 0) this.#emptied?.()
  }

  /** Resolves when no claim is in use; one caller at a time. */
  empty(): Promise<void> {
    if (this.#tags.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#emptied = resolve
    })
  }
}
