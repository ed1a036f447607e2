import type { Knex } from 'knex'
import { isRecord } from '../../../src/util/record.js'
import { SqlFailure } from '../failure.js'
import type { ServerAddress } from '../server-target.js'
import { ServerRing } from './server-ring.js'

/** What of a knex's client is used; its own types say `any`. */
interface KnexClient {
  acquireConnection(): Promise<unknown>
  releaseConnection(connection: object): Promise<unknown>
  acquireRawConnection(): Promise<unknown>
  destroyRawConnection(connection: object): Promise<void>
  readonly connectionSettings?: object
}

/** Connections of one knex, which keeps them for Lovage or for the application. */
export class KnexPool {
  readonly #knex: Knex
  readonly #client: KnexClient
  readonly #isOwned: boolean
  readonly #ring: ServerRing
  readonly #doubts = new Set<() => void>()

  /** @param servers - Where the connections lead, for a pool whose end ends them; none for that of an application. */
  constructor(knex: Knex, servers: readonly ServerAddress[] = []) {
    this.#knex = knex
    this.#client = clientOf(knex)
    this.#isOwned = servers.length > 0
    this.#ring = new ServerRing(servers)
  }

  /** How many servers there are to choose from. */
  get size(): number {
    return this.#ring.size
  }

  /** A connection that nobody else uses, until it is given back. */
  async acquire(): Promise<object> {
    for (;;) {
      const connection = await this.#acquire()
      // One that was idle while the others went on to another server may be good for reading alone.
      if (!this.#ring.hasLeft(addressOf(connection))) return connection
      await this.release(connection, false)
    }
  }

  /** The server of this connection is not the one to work on: the next connections go to another, where there is one. */
  forsake(connection: object): void {
    this.#leave(addressOf(connection))
    for (const listener of [...this.#doubts]) listener()
  }

  /** Call `listener` when a connection has failed, as others may have too; the result ends it. */
  doubt(listener: () => void): () => void {
    this.#doubts.add(listener)
    return () => {
      this.#doubts.delete(listener)
    }
  }

  /** Give a connection back. One that is not usable any more is thrown away. */
  async release(connection: object, isUsable: boolean): Promise<void> {
    // What knex looks at when it hands a connection out again.
    if (!isUsable) Object.assign(connection, { __knex__disposed: 'given up by Lovage' })
    await this.#client.releaseConnection(connection)
  }

  /** A connection outside of the pool, with the settings of those inside. */
  async openApart(): Promise<object> {
    return connectionOf(await this.#client.acquireRawConnection())
  }

  async #acquire(): Promise<object> {
    const server = this.#ring.current
    try {
      return connectionOf(await this.#client.acquireConnection())
    } catch (error) {
      // Where every connection is in use there is nothing wrong with the server.
      if (!(error instanceof Error && error.name === 'KnexTimeoutError')) this.#leave(server)
      throw error
    }
  }

  #leave(server: ServerAddress | undefined): void {
    if (!this.#ring.leave(server)) return
    // What knex makes connections from.
    Object.assign(this.#client.connectionSettings ?? {}, this.#ring.current)
  }

  /** Close a connection that {@link openApart} gave. */
  async closeApart(connection: object): Promise<void> {
    await this.#client.destroyRawConnection(connection)
  }

  /** Close every connection; none of them when they are the application's. */
  async close(): Promise<void> {
    if (this.#isOwned) await this.#knex.destroy()
  }
}

function clientOf({ client }: { readonly client: unknown }): KnexClient {
  if (isClient(client)) return client
  throw new SqlFailure('refused', 'this is not a knex of version 2 or 3', undefined)
}

function isClient(client: unknown): client is KnexClient {
  return isRecord(client) && 'acquireConnection' in client && 'acquireRawConnection' in client
}

function connectionOf(connection: unknown): object {
  if (isRecord(connection)) return connection
  throw new SqlFailure('refused', 'this knex gives no connection', undefined)
}

/** Where a connection of `pg` or `mysql2` leads. */
function addressOf(connection: object): ServerAddress | undefined {
  const settings: unknown = 'config' in connection ? connection.config : connection
  if (!isRecord(settings)) return undefined
  const { host, port } = settings
  return typeof host === 'string' && typeof port === 'number' ? { host, port } : undefined
}
