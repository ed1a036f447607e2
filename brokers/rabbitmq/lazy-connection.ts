import { BrokerConnectionError } from '../../src/errors/errors.js'
import { RabbitConnection } from './connection.js'
import type { RabbitSettings } from './settings.js'

interface Open<Use> {
  readonly connection: RabbitConnection
  readonly use: Use
}

const never = new AbortController().signal

/**
 * A connection that is there when it is asked for: opened at the first use, and anew when it was lost.
 *
 * States: none → opening → open → (lost → opening …) → closed, for good.
 */
export class LazyConnection<Use> {
  readonly #settings: RabbitSettings
  readonly #prepare: (connection: RabbitConnection) => Use
  #opening: Promise<Open<Use>> | undefined
  #open: Open<Use> | undefined
  #isClosed = false

  constructor(settings: RabbitSettings, prepare: (connection: RabbitConnection) => Use) {
    this.#settings = settings
    this.#prepare = prepare
  }

  /** The connection in use. Rejects with a `BrokerConnectionError`, or a `BrokerError` when the server refuses. */
  async get(signal: AbortSignal = never): Promise<Use> {
    if (this.#open?.connection.isOpen === true) return this.#open.use
    if (this.#isClosed) throw new BrokerConnectionError(`${this.#settings.label}: closed`)
    this.#opening ??= this.#connect(signal)
    return (await this.#opening).use
  }

  /** Close it, when `before` is done. Never rejects. */
  async close(before?: (use: Use) => Promise<void>): Promise<void> {
    this.#isClosed = true
    const open = (await this.#opening?.catch(() => undefined)) ?? this.#open
    if (open === undefined) return
    await before?.(open.use)
    await open.connection.close()
  }

  async #connect(signal: AbortSignal): Promise<Open<Use>> {
    try {
      const connection = await RabbitConnection.open(this.#settings, signal)
      this.#open = { connection, use: this.#prepare(connection) }
      return this.#open
    } finally {
      this.#opening = undefined
    }
  }
}
