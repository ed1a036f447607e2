/** What a {@link HeartbeatMonitor} listens to. */
export interface HeartbeatSource {
  /** Bytes that have come in so far. */
  readonly received: () => number
  /** Ask for an answer, whatever it says. */
  readonly ask: () => void
  /** Nothing came although it was asked for. */
  readonly silent: () => void
}

const TICK_MS = 500
const ASK_AFTER = 5
const SILENT_AFTER = 6

/**
 * Watches whether the other end still answers: asks when nothing came for a while, and tells when still nothing does.
 *
 * Finds a connection that is up and dead within six seconds, where AMQP's heartbeats, which must also bear an event loop
 * that is busy for a while, take a minute. Time is counted in ticks of this event loop, so that one that was held up is not
 * taken for a server that is silent.
 */
export class HeartbeatMonitor {
  readonly #source: HeartbeatSource
  readonly #timer: NodeJS.Timeout
  #received = 0
  #quiet = 0
  #isPaused = false

  constructor(source: HeartbeatSource) {
    this.#source = source
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Expect no answers for now: the server does not read. */
  pause(): void {
    this.#isPaused = true
  }

  /** Expect answers again. */
  resume(): void {
    this.#isPaused = false
    this.#quiet = 0
  }

  /** Watch no longer. */
  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const received = this.#source.received()
    if (received !== this.#received || this.#isPaused) {
      this.#received = received
      this.#quiet = 0
      return
    }
    this.#quiet += 1
    if (this.#quiet === ASK_AFTER) this.#source.ask()
    if (this.#quiet === ASK_AFTER + SILENT_AFTER) this.#source.silent()
  }
}
