import type { MongoClient } from 'mongodb'

/** What of a client is watched. */
export type WatchedClient = Pick<MongoClient, 'on' | 'close' | 'connect'>

/** How long a heartbeat may take, in milliseconds. */
export interface HeartbeatLimits {
  /** Longest time without an answer. */
  readonly answerMs: number
  /** How long a server may keep one that waits for news. */
  readonly newsMs: number
}

const LOOK_EVERY_MS = 1_000
/** How much longer than it may take a heartbeat is given. */
const GRACE_MS = 1_000

/**
 * Connects a client anew whose heartbeat never ends.
 *
 * A command that the driver (7.9) writes to a socket in the moment of its end is neither answered nor refused. When that is the
 * heartbeat, the driver does not look again whether the server is back, and every operation fails until the process ends.
 */
export class MonitorWatch {
  readonly #client: WatchedClient
  readonly #limits: HeartbeatLimits
  /** When the heartbeat under way is too late, by the server's address. */
  readonly #lateAtMs = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  /** Whether it was closed and is not connected anew yet: also when an attempt has failed. */
  #isDown = false
  #reviving: Promise<void> | undefined

  constructor(client: WatchedClient, limits: HeartbeatLimits) {
    this.#client = client
    this.#limits = limits
    client
      .on('serverHeartbeatStarted', ({ connectionId, awaited }) => {
        this.#began(connectionId, awaited)
      })
      .on('serverHeartbeatSucceeded', ({ connectionId }) => this.#lateAtMs.delete(connectionId))
      .on('serverHeartbeatFailed', ({ connectionId }) => this.#lateAtMs.delete(connectionId))
      .on('serverClosed', ({ address }) => this.#lateAtMs.delete(address))
  }

  /** Watch from now on; the client is connected. Idempotent. */
  start(): void {
    this.#timer ??= setInterval(() => {
      this.#look()
    }, LOOK_EVERY_MS).unref()
  }

  /** Watch no more; resolves when the client may be closed. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#reviving
  }

  #began(address: string, awaited: boolean): void {
    const { answerMs, newsMs } = this.#limits
    this.#lateAtMs.set(address, performance.now() + answerMs + (awaited ? newsMs : 0) + GRACE_MS)
  }

  #look(): void {
    const nowMs = performance.now()
    const isStuck = [...this.#lateAtMs.values()].some((lateAtMs) => lateAtMs < nowMs)
    if (this.#reviving !== undefined || !(isStuck || this.#isDown)) return
    this.#reviving = this.#revive().finally(() => {
      this.#reviving = undefined
    })
  }

  async #revive(): Promise<void> {
    this.#isDown = true
    try {
      await this.#client.close()
      this.#lateAtMs.clear()
      await this.#client.connect()
      this.#isDown = false
    } catch {
      // The server is not there: the next look tries again.
    }
  }
}
