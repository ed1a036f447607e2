import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import { KnexPool } from '../../../../brokers/sql/server/knex-pool.js'

/** The first server of a {@link stubPool}. */
export const a: { readonly host: string; readonly port: number } = { host: 'a', port: 1 }

/** The second one. */
export const b: { readonly host: string; readonly port: number } = { host: 'b', port: 2 }

/** A pool without a server, and what it did with the connections. */
export interface StubPool {
  readonly pool: KnexPool
  /** Where the next connection is made to. */
  readonly settings: object
  /** Connections that nobody is to use again. */
  readonly thrownAway: readonly object[]
}

const require = createRequire(import.meta.url)

/** A pool on {@link a} and {@link b} whose connections, inside and outside of it, come from `acquire`. */
export function stubPool(acquire: () => Promise<object>): StubPool {
  const makeKnex: (config: Knex.Config) => Knex = require('knex')
  const knex = makeKnex({ client: 'pg' })
  const settings = { ...a }
  const thrownAway: object[] = []
  const { client }: { client: object } = knex
  Object.assign(client, {
    connectionSettings: settings,
    acquireConnection: acquire,
    acquireRawConnection: acquire,
    releaseConnection: async (connection: object) => {
      if ('__knex__disposed' in connection) thrownAway.push(connection)
      return Promise.resolve()
    },
    destroyRawConnection: async (connection: object) => {
      thrownAway.push(connection)
      return Promise.resolve()
    },
  })
  return { pool: new KnexPool(knex, [a, b]), settings, thrownAway }
}
