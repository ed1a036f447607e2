import type { Delivery } from '../../src/broker/contract.js'

/** A claim whose connection was lost while this process lives on. */
export type LostClaim = Pick<Delivery, 'tag' | 'deliveryCount'>

interface Entry extends LostClaim {
  readonly lostMs: number
}

/** How long a claim is remembered, and how many are. */
const KEEP_MS = 3_600_000
const MOST = 10_000

/**
 * Claims that this process lost with a connection. The server delivers their messages again, and a message that comes back
 * to the process that had it is no sign of a lost worker.
 *
 * AMQP does not tell which delivery comes back, so a message is known by its queue, its task's id and the number of its
 * retry. Two copies of one message are two entries.
 */
export class LostClaims {
  /** Of all connections, since each session of a worker has its own. */
  static readonly ofProcess: LostClaims = new LostClaims()
  readonly #entries = new Map<string, Entry[]>()
  #size = 0

  /** A claim was lost. */
  add(delivery: Delivery): void {
    const key = keyOf(delivery)
    if (key === undefined) return
    const { tag, deliveryCount } = delivery
    const entry = { tag, deliveryCount, lostMs: performance.now() }
    const known = this.#entries.get(key)
    if (known === undefined) this.#entries.set(key, [entry])
    else known.push(entry)
    this.#size += 1
    if (this.#size > MOST) this.#dropOldest()
  }

  /** The lost claim of a message that was delivered again; it is forgotten then. */
  take(delivery: Pick<Delivery, 'message' | 'queue'>): LostClaim | undefined {
    if (this.#size === 0) return undefined
    const key = keyOf(delivery) ?? ''
    const entries = this.#entries.get(key)
    const entry = entries?.shift()
    if (entry === undefined) return undefined
    this.#size -= 1
    if (entries?.length === 0) this.#entries.delete(key)
    return performance.now() - entry.lostMs > KEEP_MS ? undefined : entry
  }

  #dropOldest(): void {
    const [oldest] = this.#entries
    if (oldest === undefined) return
    const [key, entries] = oldest
    this.#entries.delete(key)
    this.#size -= entries.length
  }
}

function keyOf({ message, queue }: Pick<Delivery, 'message' | 'queue'>): string | undefined {
  const { headers, properties } = message
  const id = properties.correlationId ?? headers['id']
  if (typeof id !== 'string' || id === '') return undefined
  const { retries } = headers
  return `${queue}\n${id}\n${typeof retries === 'number' ? String(retries) : ''}`
}
