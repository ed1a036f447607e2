import { UnsupportedError } from '../errors/errors.js'
import type { BrokerCapabilities, Outgoing, QueueSpec } from './contract.js'

/**
 * Keeps exchanges a broker does not have away from it, and refuses by name what cannot be served.
 *
 * Where only queues can be addressed, a direct binding is remembered here, and a message to it goes to the queue.
 */
export class QueueRoutes {
  readonly #broker: string
  readonly #exchanges: BrokerCapabilities['exchanges']
  readonly #direct = new Map<string, string>()

  constructor(broker: string, capabilities: BrokerCapabilities) {
    this.#broker = broker
    this.#exchanges = capabilities.exchanges
  }

  /** The queue as the broker can declare it. @throws {@link UnsupportedError} for a binding it cannot serve. */
  declared(queue: QueueSpec): QueueSpec {
    const onlyQueues = this.#exchanges.length === 0
    for (const { exchange, type, routingKey } of queue.bindings) {
      if (this.#exchanges.includes(type)) continue
      if (!onlyQueues || type !== 'direct') throw this.#refused(queue.name, type)
      this.#direct.set(`${exchange}\n${routingKey}`, queue.name)
    }
    return onlyQueues ? { ...queue, bindings: [] } : queue
  }

  /** The batch with routes the broker understands. */
  routed(batch: readonly Outgoing[]): readonly Outgoing[] {
    if (this.#exchanges.length > 0) return batch
    return batch.map((outgoing) => this.#toQueue(outgoing))
  }

  #toQueue(outgoing: Outgoing): Outgoing {
    const { exchange, routingKey } = outgoing.route
    if (exchange === '') return outgoing
    const queue = this.#direct.get(`${exchange}\n${routingKey}`)
    if (queue !== undefined) return { ...outgoing, route: { exchange: '', routingKey: queue } }
    throw new UnsupportedError(
      `broker "${this.#broker}" has no exchanges, and no declared queue is bound to "${exchange}" with "${routingKey}"`,
    )
  }

  #refused(queue: string, type: string): UnsupportedError {
    const has = this.#exchanges.length === 0 ? 'queues only' : `${this.#exchanges.join(', ')} only`
    return new UnsupportedError(
      `broker "${this.#broker}" has no ${type} exchanges, which queue "${queue}" asks for; it has ${has}`,
    )
  }
}
