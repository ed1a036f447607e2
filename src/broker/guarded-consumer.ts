import { BrokerConnectionError, BrokerError } from '../errors/errors.js'
import { toBrokerError } from './broker-error.js'
import type {
  BrokerCapabilities,
  Consumer,
  Delivery,
  FetchOptions,
  HandBack,
  Outgoing,
  Settlement,
} from './contract.js'
import type { DelayLimit } from './delay-limit.js'
import { inChunks } from './in-chunks.js'

/** What a guarded consumer needs of its broker. */
export interface ConsumerGuards {
  readonly capabilities: BrokerCapabilities
  readonly delays: DelayLimit
  /** The batch with routes the broker understands. */
  readonly routed: (batch: readonly Outgoing[]) => readonly Outgoing[]
  /** `work`, unless it takes longer than any answer may. */
  readonly inTime: <Value>(doing: string, work: () => Promise<Value>) => Promise<Value>
  /** Called once, when the consumer is closed. */
  readonly closed: (consumer: GuardedConsumer) => void
}

/** A driver's consumer with the promises kept that drivers tend to break. */
export class GuardedConsumer implements Consumer {
  readonly holder?: string
  readonly settle?: (settlements: readonly Settlement[]) => Promise<readonly Delivery[]>
  readonly verify?: (deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>
  readonly #inner: Consumer
  readonly #guards: ConsumerGuards
  #closing: Promise<void> | undefined
  #lost: BrokerConnectionError | undefined

  constructor(inner: Consumer, guards: ConsumerGuards) {
    this.#inner = inner
    this.#guards = guards
    if (inner.holder !== undefined) this.holder = inner.holder
    if (inner.settle !== undefined) this.settle = (settlements) => this.#settle(settlements)
    if (inner.verify !== undefined) {
      this.verify = (deliveries) => this.#batched('verify', deliveries, (chunk) => inner.verify?.(chunk))
    }
  }

  async fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    this.#assertUsable()
    if (max <= 0) return []
    try {
      return await this.#inner.fetch(Math.min(max, this.#guards.capabilities.maxBatch), options)
    } catch (error) {
      if (error instanceof BrokerConnectionError) this.#lost = error
      throw toBrokerError(error, 'fetch')
    }
  }

  ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return this.#batched('ack', deliveries, (chunk) => this.#inner.ack(chunk))
  }

  async handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    this.#guards.delays.check(items)
    return this.#batched('hand-back', items, (chunk) => this.#inner.handBack(chunk))
  }

  async setCredit(credit: number): Promise<void> {
    this.#assertUsable()
    try {
      await this.#inner.setCredit(credit)
    } catch (error) {
      throw toBrokerError(error, 'setting the credit')
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    const routed = settlements.map((settlement) => {
      this.#guards.delays.check(settlement.publish)
      if (settlement.handBack !== undefined) this.#guards.delays.check([settlement.handBack])
      const publish = this.#guards.routed(settlement.publish)
      return publish === settlement.publish ? settlement : { ...settlement, publish }
    })
    return this.#batched('settle', routed, (chunk) => this.#inner.settle?.(chunk))
  }

  async #batched<Item>(
    doing: string,
    items: readonly Item[],
    work: (chunk: readonly Item[]) => Promise<readonly Delivery[]> | undefined,
  ): Promise<readonly Delivery[]> {
    this.#assertOpen()
    // Claims that outlive a connection can be settled after it: the driver tells whether they still hold.
    if (this.#guards.capabilities.claims === 'connection') this.#assertUsable()
    try {
      return await inChunks(
        items,
        this.#guards.capabilities.maxBatch,
        async (chunk) => (await work(chunk)) ?? [],
      )
    } catch (error) {
      throw toBrokerError(error, doing)
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#guards.inTime('closing the consumer', () => this.#inner.close())
    } catch (error) {
      throw toBrokerError(error, 'closing the consumer')
    } finally {
      this.#guards.closed(this)
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new BrokerError('the consumer is closed')
  }

  #assertUsable(): void {
    this.#assertOpen()
    if (this.#lost === undefined) return
    throw new BrokerConnectionError('the consumer lost its connection; open another', { cause: this.#lost })
  }
}
