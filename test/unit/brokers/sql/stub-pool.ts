import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import { KnexPool } from '../../../../brokers/sql/server/knex-pool.js'
import { ServerRing } from '../../../../brokers/sql/server/server-ring.js'

/** The first server of a {@link stubPool}. */
export const a: { readonly host: string; readonly port: number } = { host: 'a', port: 1 }

/** The second one. */
export const b: { readonly host: string; readonly port: number } = { host: 'b', port: 2 }

/** A pool without a server, and what it did with the connections. */
export interface StubPool {
  readonly pool: KnexPool
  /** Where the next connection is made to. */
  readonly ring: ServerRing
  /** Connections that nobody is to use again. */
  readonly thrownAway: readonly object[]
}

const require = createRequire(import.meta.url)

/** A pool on {@link a} and {@link b} whose connections, inside and outside of it, come from `acquire`. */
export function stubPool(acquire: () => Promise<object>): StubPool {
  const makeKnex: (config: Knex.Config) => Knex = require('knex')
  const knex = makeKnex({ client: 'pg' })
  const thrownAway: object[] = []
  const { client }: { client: object } = knex
  Object.assign(client, { acquireConnection: acquire, releaseConnection: async () => Promise.resolve() })
  const cut = async (connection: object): Promise<void> => {
    thrownAway.push(connection)
    return Promise.resolve()
  }
  const ring = new ServerRing([a, b])
  return { pool: new KnexPool(knex, { cut }, { ring, openApart: acquire }), ring, thrownAway }
}
