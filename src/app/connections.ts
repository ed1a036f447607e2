import type { ResultBackend } from '../backend/contract.js'
import type { Broker } from '../broker/contract.js'
import type { AppQueue } from './queues.js'
import type { PublishConnection } from './publisher.js'

/** Opens what the app shares, and closes it. */
export interface Openers {
  /** A connected broker. */
  readonly broker: () => Promise<Broker>
  /** A connected backend; `undefined` where results are off. */
  readonly backend: () => Promise<ResultBackend | undefined>
}

const DONE = 'done'

/** Queues by name, with the attempt to declare them while that is under way. */
type Declared = Map<string, Promise<void> | typeof DONE>

/** The one broker connection for publishing, and the one backend, of an app: opened on first use. */
export class Connections implements PublishConnection {
  readonly #openers: Openers
  #broker: Promise<Broker> | undefined
  #backend: Promise<ResultBackend | undefined> | undefined
  readonly #declared = new WeakMap<Broker, Declared>()

  constructor(openers: Openers) {
    this.#openers = openers
  }

  /** Concurrent callers share one attempt; a failed one is not kept. */
  async get(): Promise<Broker> {
    this.#broker ??= this.#openers.broker()
    const opening = this.#broker
    try {
      return await opening
    } catch (error) {
      if (this.#broker === opening) this.#broker = undefined
      throw error
    }
  }

  /** Drop a broker that failed; the next {@link get} opens another. */
  async discard(broker: Broker): Promise<void> {
    if ((await this.#settled(this.#broker)) !== broker) return
    this.#broker = undefined
    await broker.close()
  }

  /** Declare a queue; `undefined` when this connection has done so. */
  declare(broker: Broker, queue: AppQueue): Promise<void> | undefined {
    const known = this.#declaredOn(broker)
    const { name } = queue.spec
    const earlier = known.get(name)
    if (earlier !== undefined) return earlier === DONE ? undefined : earlier
    const declaring = this.#declare(broker, queue, known)
    known.set(name, declaring)
    return declaring
  }

  /** The connected backend; `undefined` where results are off. */
  async backend(): Promise<ResultBackend | undefined> {
    this.#backend ??= this.#openers.backend()
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
    const [broker, backend] = [await this.#settled(this.#broker), await this.#settled(this.#backend)]
    this.#broker = undefined
    this.#backend = undefined
    await Promise.all([broker?.close(), backend?.close()])
  }

  /** A failed attempt is not kept. */
  async #declare(broker: Broker, queue: AppQueue, known: Declared): Promise<void> {
    const { name } = queue.spec
    try {
      await broker.declare(queue.spec)
      known.set(name, DONE)
    } catch (error) {
      known.delete(name)
      throw error
    }
  }

  #declaredOn(broker: Broker): Declared {
    const present = this.#declared.get(broker)
    if (present !== undefined) return present
    const made: Declared = new Map()
    this.#declared.set(broker, made)
    return made
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
