import type { ConnectionUrl } from '../../../src/broker/connection-url.js'
import type {
  Broker,
  ConsumeOptions,
  Consumer,
  Delivery,
  FetchOptions,
  Settlement,
} from '../../../src/broker/contract.js'
import type { BrokerDriver, BrokerOptions } from '../../../src/broker/registry.js'
import { BrokerConnectionError, BrokerError } from '../../../src/errors/errors.js'

/** A store whose connections can be cut, and come back. */
export class FlakyStore {
  /** While true, nothing connects and everything that is open fails. */
  isDown = false
  /** While true, it takes no consumer. */
  refuses = false
  readonly #cuts = new Set<(error: Error) => void>()

  /** The driver of `scheme`, on top of another one. */
  driver(scheme: string, inner: BrokerDriver): BrokerDriver {
    return {
      schemes: [scheme],
      load: async () => {
        const module = await inner.load()
        return {
          createBroker: (url: ConnectionUrl, options: BrokerOptions) =>
            this.#wrap(module.createBroker(url, options)),
        }
      },
    }
  }

  /** Cut every connection. */
  cut(): void {
    this.isDown = true
    for (const fail of this.#cuts) fail(new BrokerConnectionError('the connection was cut'))
    this.#cuts.clear()
  }

  #check(): void {
    if (this.isDown) throw new BrokerConnectionError('the connection was refused')
  }

  #wrap(broker: Broker): Broker {
    return {
      name: 'flaky',
      capabilities: broker.capabilities,
      ...(broker.leases === undefined ? {} : { leases: broker.leases }),
      connect: async (signal) => {
        this.#check()
        await broker.connect(signal)
      },
      declare: (queue) => broker.declare(queue),
      publish: (batch) => broker.publish(batch),
      consume: async (queues, options: ConsumeOptions) => {
        this.#check()
        if (this.refuses) throw new BrokerError('the queue exists otherwise')
        return this.#wrapConsumer(await broker.consume(queues, options))
      },
      depth: (queue) => broker.depth(queue),
      purge: (queue) => broker.purge(queue),
      delete: (queue) => broker.delete(queue),
      close: () => broker.close(),
    }
  }

  #wrapConsumer(consumer: Consumer): Consumer {
    const settle = async (settlements: readonly Settlement[]): Promise<readonly Delivery[]> => {
      this.#check()
      return (await consumer.settle?.(settlements)) ?? []
    }
    return {
      fetch: (max, options) => this.#fetch(consumer, max, options),
      ack: async (deliveries) => {
        this.#check()
        return consumer.ack(deliveries)
      },
      handBack: async (items) => {
        this.#check()
        return consumer.handBack(items)
      },
      setCredit: (credit) => consumer.setCredit(credit),
      close: () => consumer.close(),
      ...(consumer.settle === undefined ? {} : { settle }),
      ...(consumer.verify === undefined ? {} : { verify: (deliveries) => verified(consumer, deliveries) }),
      ...(consumer.holder === undefined ? {} : { holder: consumer.holder }),
    }
  }

  #fetch(consumer: Consumer, max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    return new Promise((resolve, reject) => {
      if (this.isDown) {
        reject(new BrokerConnectionError('the connection was refused'))
        return
      }
      this.#cuts.add(reject)
      consumer
        .fetch(max, options)
        .then(resolve, reject)
        .finally(() => this.#cuts.delete(reject))
    })
  }
}

async function verified(consumer: Consumer, deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
  return (await consumer.verify?.(deliveries)) ?? deliveries
}
