import type { Knex } from 'knex'
import { isRecord } from '../../../src/util/record.js'
import { SqlFailure } from '../failure.js'
import type { ServerAddress } from '../settings/server-settings.js'
import { ServerRing } from './server-ring.js'
import type { ServerAdapter } from './sql-connection.js'

/** A knex of Lovage's own. */
export interface OwnKnex {
  /** Where its connections lead: it asks for {@link ServerRing.current} when it makes one. */
  readonly ring: ServerRing
  /** A connection outside of the pool, with the settings of those inside; absent where none is needed. */
  readonly openApart?: () => Promise<object>
}

/** Connections of one knex, which keeps them for Lovage or for the application. */
export class KnexPool {
  readonly #knex: Knex
  readonly #client: Knex.Client
  readonly #cut: ServerAdapter['cut']
  readonly #own: OwnKnex | undefined
  readonly #ring: ServerRing
  readonly #doubts = new Set<() => void>()

  /** @param own - For a pool whose end ends the connections; none for that of an application. */
  constructor(knex: Knex, { cut }: Pick<ServerAdapter, 'cut'>, own?: OwnKnex) {
    this.#knex = knex
    this.#client = clientOf(knex)
    this.#cut = cut
    this.#own = own
    this.#ring = own?.ring ?? new ServerRing([])
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
    this.#ring.leave(addressOf(connection))
    for (const listener of [...this.#doubts]) listener()
  }

  /** Call `listener` when a connection has failed, as others may have too; the result ends it. */
  doubt(listener: () => void): () => void {
    this.#doubts.add(listener)
    return () => {
      this.#doubts.delete(listener)
    }
  }

  /** Give a connection back. One that is not usable any more is cut, and knex hands out none that is closed. */
  async release(connection: object, isUsable: boolean): Promise<void> {
    if (!isUsable) await this.#cut(connection)
    await this.#client.releaseConnection(connection)
  }

  /** A connection outside of the pool, with the settings of those inside. */
  async openApart(): Promise<object> {
    return this.#own?.openApart?.() ?? connectionOf(await this.#client.acquireRawConnection())
  }

  async #acquire(): Promise<object> {
    const server = this.#ring.current
    try {
      return connectionOf(await this.#client.acquireConnection())
    } catch (error) {
      // Where every connection is in use there is nothing wrong with the server.
      if (!(error instanceof Error && error.name === 'KnexTimeoutError')) this.#ring.leave(server)
      throw error
    }
  }

  /** Close every connection; none of them when they are the application's. */
  async close(): Promise<void> {
    if (this.#own !== undefined) await this.#knex.destroy()
  }
}

function clientOf({ client }: { readonly client: unknown }): Knex.Client {
  if (isClient(client)) return client
  throw new SqlFailure('refused', 'this is not a knex of version 2 or 3')
}

function isClient(client: unknown): client is Knex.Client {
  return isRecord(client) && 'acquireConnection' in client && 'acquireRawConnection' in client
}

function connectionOf(connection: unknown): object {
  if (isRecord(connection)) return connection
  throw new SqlFailure('refused', 'this knex gives no connection')
}

/** Where a connection of `pg` or `mysql2` leads. */
function addressOf(connection: object): ServerAddress | undefined {
  const settings: unknown = 'config' in connection ? connection.config : connection
  if (!isRecord(settings)) return undefined
  const { host, port } = settings
  return typeof host === 'string' && typeof port === 'number' ? { host, port } : undefined
}
