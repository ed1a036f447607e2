import type { Db } from 'mongodb'
import type { Features } from './features.js'

const MEASURE_EVERY_MS = 30_000

/** The server's clock, for moments that are written; what is due or over is compared by the server itself. */
export class ServerClock {
  readonly #admin: Db
  readonly #hello: Features['hello']
  #aheadMs = 0
  #measuredAtMs = Number.NEGATIVE_INFINITY

  constructor(admin: Db, hello: Features['hello']) {
    this.#admin = admin
    this.#hello = hello
  }

  /** Epoch milliseconds on the server, as far as half a round trip tells. */
  async now(): Promise<number> {
    if (performance.now() - this.#measuredAtMs > MEASURE_EVERY_MS) await this.#measure()
    return performance.now() + this.#aheadMs
  }

  async #measure(): Promise<void> {
    const askedAtMs = performance.now()
    const { localTime } = await this.#admin.command({ [this.#hello]: 1 })
    const answeredAtMs = performance.now()
    const serverMs = localTime instanceof Date ? localTime.getTime() : Date.now()
    this.#aheadMs = serverMs - (askedAtMs + answeredAtMs) / 2
    this.#measuredAtMs = answeredAtMs
  }
}
