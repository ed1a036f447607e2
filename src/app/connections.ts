import type { ResultBackend } from '../backend/contract.js'
import type { Broker, QueueSpec } from '../broker/contract.js'
import { declareOnce } from '../broker/declare-once.js'
import { BrokerConnectionError } from '../errors/errors.js'
import type { PublishConnection } from './publisher.js'
import type { Stores } from './stores.js'

/** The one broker connection for publishing, and the one backend, of an app: opened on first use. */
export class Connections implements PublishConnection {
  readonly #stores: Stores
  #broker: Promise<Broker> | undefined
  #present: Broker | undefined
  #backend: Promise<ResultBackend | undefined> | undefined
  #ending = new AbortController()
  readonly #closing = new Set<Promise<void>>()

  constructor(stores: Stores) {
    this.#stores = stores
  }

  /** The broker, when it is connected already. */
  get present(): Broker | undefined {
    return this.#present
  }

  /** Concurrent callers share one attempt; a failed one is not kept. */
  async get(): Promise<Broker> {
    this.#broker ??= this.#stores.openBroker(this.#ending.signal)
    const opening = this.#broker
    try {
      const broker = await opening
      if (this.#broker === opening) this.#present = broker
      return broker
    } catch (error) {
      if (this.#broker === opening) this.#broker = undefined
      throw error
    }
  }

  /** Drop a broker that failed; the next {@link get} opens another. Nobody waits for its end but {@link close}. */
  discard(broker: Broker): void {
    if (this.#present !== broker) return
    this.#present = undefined
    this.#broker = undefined
    const closing = broker
      .close()
      // A connection that cannot even be closed is still replaced, and the calls have their own error.
      .catch(() => undefined)
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  /** Declare a queue; `undefined` when this connection has done so. */
  declare(broker: Broker, queue: QueueSpec): Promise<void> | undefined {
    return declareOnce(broker, queue)
  }

  /** The connected backend; `undefined` where results are off. */
  async backend(): Promise<ResultBackend | undefined> {
    this.#backend ??= this.#stores.openBackend()
    const opening = this.#backend
    try {
      return await opening
    } catch (error) {
      if (this.#backend === opening) this.#backend = undefined
      throw error
    }
  }

  /** Close whatever is open. */
  async close(): Promise<void> {
    this.#ending.abort(new BrokerConnectionError('the app is closed'))
    this.#ending = new AbortController()
    const [broker, backend] = [await this.#settled(this.#broker), await this.#settled(this.#backend)]
    this.#broker = undefined
    this.#present = undefined
    this.#backend = undefined
    await Promise.all([broker?.close(), backend?.close(), ...this.#closing])
  }

  /** What an attempt led to, `undefined` where it failed: whoever made it was told. */
  async #settled<Value>(opening: Promise<Value> | undefined): Promise<Value | undefined> {
    try {
      return await opening
    } catch {
      return undefined
    }
  }
}
