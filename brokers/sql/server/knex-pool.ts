import type { Knex } from 'knex'
import { isRecord } from '../../../src/util/record.js'
import { SqlFailure } from '../failure.js'

/** What of a knex's client is used; its own types say `any`. */
interface KnexClient {
  acquireConnection(): Promise<unknown>
  releaseConnection(connection: object): Promise<unknown>
  acquireRawConnection(): Promise<unknown>
  destroyRawConnection(connection: object): Promise<void>
}

/** Connections of one knex, which keeps them for Lovage or for the application. */
export class KnexPool {
  readonly #knex: Knex
  readonly #client: KnexClient
  readonly #isOwned: boolean

  /** @param isOwned - Whether closing the pool closes the connections. */
  constructor(knex: Knex, isOwned: boolean) {
    this.#knex = knex
    this.#client = clientOf(knex)
    this.#isOwned = isOwned
  }

  /** A connection that nobody else uses, until it is given back. */
  async acquire(): Promise<object> {
    return connectionOf(await this.#client.acquireConnection())
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
