import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { chooseEngine } from '../../../brokers/sql/engine/choose.js'
import { SqliteFile } from '../../../brokers/sql/engine/database.js'
import type { SqliteEngine } from '../../../brokers/sql/engine/native.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { KnexPool } from '../../../brokers/sql/server/knex-pool.js'
import type { ServerAdapter } from '../../../brokers/sql/server/sql-connection.js'
import { mysqlServer } from '../../../brokers/sql/server/mysql.js'
import { openKnex, tuned } from '../../../brokers/sql/server/open-knex.js'
import { postgresqlServer } from '../../../brokers/sql/server/postgresql.js'
import { ServerRing } from '../../../brokers/sql/server/server-ring.js'
import { openStore } from '../../../brokers/sql/store.js'
import { settingsOf } from '../../../brokers/sql/settings/database-settings.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { OwnServer } from '../../support/own-server.js'
import { serviceUrl } from '../../support/service-url.js'
import { jsonCodec } from '../../conformance/index.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

const CLIENTS: readonly (readonly [string, 'pg' | 'mysql2', ServerAdapter])[] = [
  ['postgresql', 'pg', postgresqlServer],
  ['mariadb', 'mysql2', mysqlServer],
]
/** What makes a server refuse a session as it is set up. */
const REFUSED = [
  ['postgresql', (url: URL) => url.searchParams.set('options', '-c no_such_setting=on')],
  ['mariadb', (url: URL) => (url.pathname = '/no_such_database')],
] as const
const onPostgresql = serviceUrl('postgresql') === undefined ? describe.skip : describe
const onMariadb = serviceUrl('mariadb') === undefined ? describe.skip : describe

onPostgresql('a login of PostgreSQL', () => {
  it('has the name and the settings of its URL', async () => {
    const url = new URL(serviceUrl('postgresql') ?? '')
    url.search = 'application_name=shop&options=-c%20work_mem%3D7MB&connect_timeout=5'
    const store = await openStore(settingsOf(parseConnectionUrl(url.href), {}))

    const shown = await store.database.read(async (session) => [
      ...(await session.all('SHOW application_name')),
      ...(await session.all('SHOW work_mem')),
    ])

    expect(shown).toEqual([['shop'], ['7MB']])
    await store.release()
  })
})

onMariadb('a server of MariaDB on this machine', () => {
  let server: OwnServer

  beforeAll(async () => {
    server = await OwnServer.open('mariadb')
  }, 60_000)

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  it('is reached by its socket', async () => {
    const queue = randomName('queue')
    const url = `mysql://root@127.0.0.1:1/test?unix_socket=${server.file('s')}&charset=utf8mb4`
    const broker = await openBroker(url, queue)

    await broker.publish([textMessage(queue, 'a')])

    expect(await broker.depth(queue)).toBe(1)
    await broker.close()
  })
})

describe('a session whose set-up is refused', () => {
  for (const [server, spoil] of REFUSED) {
    const itHere = serviceUrl(server) === undefined ? it.skip : it

    itHere(`is an error of the connect on ${server}, of a broker and of a backend`, async () => {
      const url = new URL(serviceUrl(server) ?? '')
      spoil(url)
      const parsed = parseConnectionUrl(url.href)
      const broker = createBroker(parsed, {})
      const backend = createBackend(parsed, { codec: jsonCodec })

      await expect(broker.connect(never)).rejects.toMatchObject({ code: 'LOVAGE_BROKER', retryable: false })
      await expect(backend.connect(never)).rejects.toMatchObject({ code: 'LOVAGE_BACKEND', retryable: false })
      await broker.close()
      await backend.close()
    })
  }

  for (const [server, client, driver] of CLIENTS) {
    const itHere = serviceUrl(server) === undefined ? it.skip : it

    itHere(`is an error of the first statement on ${server}`, async () => {
      const { hostname: host, port, username: user, password, pathname } = new URL(serviceUrl(server) ?? '')
      const ring = new ServerRing([{ host, port: Number(port) }])
      const knex = await openKnex(client, {
        ring,
        pool: { min: 0, max: 1, afterCreate: tuned({ ...driver, tuning: ['SET no_such_setting = 1'] }) },
        acquireConnectionTimeout: 5_000,
        settings: { user, password, database: pathname.slice(1) },
      })
      const pool = new KnexPool(knex, driver, { ring })

      await expect(pool.acquire()).rejects.toThrow(/no_such_setting/)
      await pool.close()
    })
  }

  it('is an error of the connect on SQLite, which only says that its journal is another', async () => {
    await using folder = await tempFolder('setup')
    const engine = await chooseEngine(undefined)
    const stubborn: SqliteEngine = {
      name: engine.name,
      open: (path) => {
        const native = engine.open(path)
        const refusing = { all: () => [['delete']], run: () => 0 }
        return {
          ...native,
          prepare: (sql) => (sql === 'PRAGMA journal_mode = WAL' ? refusing : native.prepare(sql)),
        }
      },
    }
    const { names } = settingsOf(parseConnectionUrl(sqliteUrl(folder.file('q.db'))), {})
    const options = { path: folder.file('q.db'), synchronous: undefined, lockWaitMs: 100, names }

    await expect(SqliteFile.open(stubborn, options)).rejects.toThrow(/write-ahead/)
  })
})
