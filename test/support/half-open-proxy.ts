import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

interface Target {
  readonly host: string
  readonly port: number
}

/**
 * A TCP proxy that can fall silent: connections stay open, and nothing comes through, as when a cable is pulled.
 *
 * `await using` closes it.
 */
export class HalfOpenProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #silent = false
  #swallowed: { readonly text: string; readonly done: () => void } | undefined
  #target: Target

  private constructor(target: Target) {
    this.#target = target
    this.#server = createServer((client) => {
      this.#join(client, connect(this.#target.port, this.#target.host))
    })
  }

  /** Listen on a port of its own in front of `host:port`. */
  static async open(port: number, host = '127.0.0.1'): Promise<HalfOpenProxy> {
    const proxy = new HalfOpenProxy({ host, port })
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    return proxy
  }

  /** The port that clients connect to. */
  get port(): number {
    const address = this.#server.address()
    return isAddress(address) ? address.port : 0
  }

  /** Open connections. */
  get connections(): number {
    return this.#pairs.size
  }

  /** Lead new connections to another port; those that are open stay as they are. */
  turnTo(port: number): void {
    this.#target = { ...this.#target, port }
  }

  /** Pass nothing on from now on, in either direction; new connections are accepted and hear nothing. */
  fallSilent(): void {
    this.#silent = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  /** Pass on again, what was held back first. */
  speak(): void {
    this.#silent = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  /** Let the connections that are open now hear nothing ever again; new ones work. @returns What ends them after all. */
  freeze(): () => void {
    const frozen = [...this.#pairs]
    for (const pair of frozen) for (const socket of pair) socket.removeAllListeners('data').pause()
    return () => {
      for (const pair of frozen) for (const socket of pair) socket.destroy()
    }
  }

  /** Close every connection in good order; new ones are accepted. */
  hangUp(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.end()
  }

  /** Cut every connection at once; new ones are accepted. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy()
  }

  /** Reset the connection on which the server says this text next, before the client hears it. Resolves when it did. */
  swallow(text: string): Promise<void> {
    return new Promise((done) => {
      this.#swallowed = { text, done }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }

  #join(client: Socket, upstream: Socket): void {
    const pair = [client, upstream] as const
    this.#pairs.add(pair)
    const forget = (): void => {
      this.#pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('data', (chunk) => {
        if (from === upstream && this.#swallowed !== undefined && chunk.includes(this.#swallowed.text)) {
          this.#swallowed.done()
          this.#swallowed = undefined
          for (const socket of pair) socket.resetAndDestroy()
        } else to.write(chunk)
      })
      from.on('end', () => to.end())
      from.on('error', () => undefined)
      from.on('close', forget)
      if (this.#silent) from.pause()
    }
  }
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
