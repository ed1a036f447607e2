import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import { serviceUrl } from './service-url.js'
import { sqlPlace } from './sql-place.js'
import { tempFolder } from './temp.js'

/** An empty database, and a knex on it as an application would have one. */
export interface KnexPlace {
  readonly knex: Knex
  readonly remove: () => Promise<void>
}

/** A kind of database that tests of an application's knex run on. */
export interface KnexPlaceMaker {
  readonly name: string
  readonly open: () => Promise<KnexPlace>
}

const require = createRequire(import.meta.url)

/** SQLite, and the servers that are there. */
export async function knexPlaces(): Promise<readonly KnexPlaceMaker[]> {
  const servers = (['postgresql', 'mariadb'] as const).filter((server) => serviceUrl(server) !== undefined)
  return Promise.resolve([
    { name: 'sqlite', open: sqlitePlace },
    ...servers.map((server) => ({
      name: server,
      open: async (): Promise<KnexPlace> => {
        const place = await sqlPlace(server)
        if (place === undefined) throw new TypeError(`${server} is not there any more`)
        return place
      },
    })),
  ])
}

/** A knex on a SQLite file. */
export function openSqlite(filename: string): Knex {
  const knex: (config: Knex.Config) => Knex = require('knex')
  const Client: typeof Knex.Client = require('knex/lib/dialects/better-sqlite3')
  // libsql has the interface of better-sqlite3, and needs no compiler.
  class LibsqlClient extends Client {
    _driver(): unknown {
      return require('libsql')
    }
  }
  return knex({ client: LibsqlClient, connection: { filename }, useNullAsDefault: true })
}

async function sqlitePlace(): Promise<KnexPlace> {
  const folder = await tempFolder('own-knex')
  const opened = openSqlite(folder.file('app.sqlite'))
  const remove = async (): Promise<void> => {
    await opened.destroy()
    await folder.remove()
  }
  return { knex: opened, remove }
}
