import type { Broker, Consumer, Delivery } from '../../src/broker/contract.js'
import { backoffMs } from '../../src/util/backoff.js'
import type { Clock } from '../../src/util/clock.js'

/** What a {@link ReplyListener} works with. */
export interface ReplyListenerParts {
  /** The name of the queue. */
  readonly address: string
  readonly openBroker: (signal: AbortSignal) => Promise<Broker>
  readonly clock: Clock
  /** A result came; throws for one that cannot be read. */
  readonly heard: (body: Uint8Array) => void
}

interface ReplyConsumer {
  readonly broker: Broker
  readonly consumer: Consumer
}

/** How long the queue outlives its listener: what comes while the connection is away is not lost. */
const EXPIRES_MS = 30 * 60_000
const BATCH = 500
const LEASE_MS = 30_000
const FETCH_MS = 5_000
const RECONNECT = { firstMs: 100, maxMs: 5_000, jitter: 0.5 }

/** The queue that results come to, listened to as long as somebody may wait: a lost connection is opened anew. */
export class ReplyListener {
  readonly #parts: ReplyListenerParts
  readonly #stop = new AbortController()
  #session: ReplyConsumer | undefined
  #running: Promise<void> | undefined

  constructor(parts: ReplyListenerParts) {
    this.#parts = parts
  }

  /** Resolves when results can come. Rejects when the broker cannot be reached. */
  async start(): Promise<void> {
    this.#session = await this.#open()
    this.#running = this.#run()
  }

  /** Listen no longer, and delete the queue. Never rejects. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    const session = this.#session
    if (session === undefined) return
    const { broker, consumer } = session
    await consumer.close().catch(() => undefined)
    await broker.delete(this.#parts.address).catch(() => undefined)
    await broker.close().catch(() => undefined)
  }

  async #run(): Promise<void> {
    let tries = 0
    while (!this.#stop.signal.aborted) {
      try {
        this.#session ??= await this.#open()
        tries = 0
        await this.#listen(this.#session.consumer)
      } catch {
        await this.#leave()
        await this.#pause(backoffMs(tries, RECONNECT))
        tries += 1
      }
    }
  }

  async #listen(consumer: Consumer): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const batch = await consumer.fetch(BATCH, { waitMs: FETCH_MS, signal })
      for (const delivery of batch) this.#hear(delivery)
      if (batch.length > 0) await consumer.ack(batch)
    }
  }

  #hear({ message }: Delivery): void {
    try {
      this.#parts.heard(message.body)
    } catch {
      // Not a result; whoever sent it here is not waiting for an answer.
    }
  }

  async #open(): Promise<ReplyConsumer> {
    const { address, openBroker } = this.#parts
    const broker = await openBroker(this.#stop.signal)
    try {
      await broker.declare({ name: address, lifetime: 'transient', expiresMs: EXPIRES_MS, bindings: [] })
      const consumer = await broker.consume([address], { credit: 2 * BATCH, leaseMs: LEASE_MS })
      return { broker, consumer }
    } catch (error) {
      await broker.close().catch(() => undefined)
      throw error
    }
  }

  async #leave(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.consumer.close().catch(() => undefined)
    await session?.broker.close().catch(() => undefined)
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#parts.clock.setTimer(ms, done)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
