import type { ServerAddress } from '../settings/server-settings.js'

/** Servers of which one at a time takes writes, as a primary and its standbys: where the next connection goes. */
export class ServerRing {
  readonly #servers: readonly ServerAddress[]
  #at = 0

  /** @param servers - At least one, the first to be tried first. */
  constructor(servers: readonly ServerAddress[]) {
    this.#servers = servers
  }

  /** How many there are. */
  get size(): number {
    return this.#servers.length
  }

  /** Where to connect now; `undefined` when the ring is empty, as for a pool that is the application's. */
  get current(): ServerAddress | undefined {
    return this.#servers[this.#at]
  }

  /**
   * Go on to the next one, unless somebody has gone on since `failed` was tried.
   *
   * @returns whether {@link current} is another one now.
   */
  leave(failed: ServerAddress | undefined): boolean {
    if (this.#servers.length < 2 || failed === undefined || !isSame(failed, this.current)) return false
    this.#at = (this.#at + 1) % this.#servers.length
    return true
  }

  /** Whether `address` is one of several, and not {@link current}. */
  hasLeft(address: ServerAddress | undefined): boolean {
    if (address === undefined || isSame(address, this.current)) return false
    return this.#servers.some((server) => isSame(address, server))
  }
}

function isSame(one: ServerAddress, other: ServerAddress | undefined): boolean {
  return one.host === other?.host && one.port === other.port
}
