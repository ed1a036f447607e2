import { existsSync } from 'node:fs'
import Database from 'libsql'
import { afterEach, describe, expect, it, jest } from '@jest/globals'

import { createBackend } from '../../../backends/memory/index.js'
import { connectPackage, isPackageDatabase } from '../../../brokers/sql/engine/better-sqlite3.js'
import { createBroker } from '../../../brokers/memory/index.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { ConfigError, Lovage } from '../../../src/index.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { internalsOf } from '../../../src/util/internals.js'

const entry = { task: 'shop.tick', schedule: 10 }

afterEach(() => {
  jest.restoreAllMocks()
})

describe('what a driver is opened with', () => {
  it('is brokerTransportOptions for a broker and resultBackendTransportOptions for a backend', async () => {
    const given: unknown[] = []
    const store = { ssl: 'off', depth: 3 }
    const results = { wait: 5 }
    await using app = new Lovage('shop', {
      broker: `own://${randomName()}`,
      backend: `own://${randomName()}`,
      brokerTransportOptions: store,
      resultBackendTransportOptions: results,
    })
    app.brokers.register({
      schemes: ['own'],
      load: async () => ({
        createBroker: (url, options) => {
          given.push(['broker', options.transportOptions])
          return createBroker(url, {})
        },
      }),
    })
    app.backends.register({
      schemes: ['own'],
      load: async () => ({
        createBackend: (url, options) => {
          given.push(['backend', options.transportOptions])
          return createBackend(url, { codec: options.codec })
        },
      }),
    })

    await internalsOf(app).broker()
    await internalsOf(app).resultBackend()

    expect(given).toEqual([
      ['broker', store],
      ['backend', results],
    ])
  })

  it.each<[ConfigInput, number]>([
    [{}, 2],
    [{ sqliteSynchronous: 'normal' }, 1],
    [{ sqliteSynchronous: 'extra' }, 3],
  ])('makes SQLite wait for the disk as sqliteSynchronous says: %j is level %s', async (settings, level) => {
    await using folder = await tempFolder('synchronous')
    const broker = sqliteUrl(folder.file('queue.db'), 'libsql')
    const exec = jest.spyOn(Database.prototype, 'exec')
    await using app = new Lovage('shop', { broker, backend: false, ...settings })

    await app.sendTask('shop.tick')

    const [database] = exec.mock.contexts
    if (typeof database !== 'object' || database === null || !isPackageDatabase(database))
      throw new Error('no database was opened')
    expect(connectPackage(database).prepare('PRAGMA synchronous').all([])).toEqual([[level]])
  })

  it.each<ConfigInput>([{ databaseAutoMigrate: false }, { databaseCreateTablesAtSetup: false }])(
    'makes no tables of %j, and names the command that does',
    async (settings) => {
      await using folder = await tempFolder('migrate')
      const [broker, backend] = [folder.file('queue.db'), folder.file('results.db')].map((file) =>
        sqliteUrl(file),
      )
      await using app = new Lovage('shop', { broker, backend, ...settings })

      await expect(app.sendTask('shop.tick')).rejects.toThrow(ConfigError)
      await expect(app.sendTask('shop.tick')).rejects.toThrow(/lovage migrate/)
      await expect(app.AsyncResult('x').state()).rejects.toThrow(/lovage migrate/)
    },
  )
})

describe('resultPersistent', () => {
  it.each([
    [undefined, false],
    [true, true],
  ])('%s: messages of rpc survive a restart of the broker: %s', async (resultPersistent, survives) => {
    await using app = new Lovage('shop', {
      broker: `memory://${randomName()}`,
      backend: 'rpc://',
      resultPersistent,
    })
    const broker = await internalsOf(app).broker()
    await broker.declare({ name: 'caller', lifetime: 'transient', bindings: [] })
    const record = { taskId: 'x', state: 'SUCCESS', result: 1, children: [], replyTo: 'caller' }

    await (await internalsOf(app).resultBackend()).store([record], { ttlMs: 0 })

    const consumer = await broker.consume(['caller'], { credit: 1, leaseMs: 30_000 })
    const [reply] = await consumer.fetch(1, { waitMs: 0, signal: new AbortController().signal })
    await consumer.close()
    expect(reply?.message.properties.persistent).toBe(survives)
  })
})

describe('schedules that the broker cannot keep', () => {
  function appWithout(settings: ConfigInput): Lovage {
    const app = new Lovage('shop', { broker: `plain://${randomName()}`, backend: false, ...settings })
    const load = async (): Promise<{ createBroker: typeof createBroker }> => ({
      createBroker: (...given) =>
        Object.defineProperty(createBroker(...given), 'schedules', { value: undefined }),
    })
    app.brokers.register({ schemes: ['plain'], load })
    return app
  }

  it('are in the file that beatScheduleFilename names', async () => {
    await using folder = await tempFolder('schedules')
    await using app = appWithout({ beatScheduleFilename: folder.file('mine') })

    await app.beat.upsert('tick', entry)

    expect(existsSync(folder.file('mine.sqlite'))).toBe(true)
    expect(await app.beat.list()).toMatchObject([{ name: 'tick' }])
  })

  it('are where beatStore says', async () => {
    await using folder = await tempFolder('schedules')
    const beatStore = sqliteUrl(folder.file('store.db'))
    await using app = appWithout({ beatStore, beatScheduleFilename: folder.file('mine') })

    await app.beat.upsert('tick', entry)

    expect(existsSync(folder.file('mine.sqlite'))).toBe(false)
    await using other = new Lovage('shop', { broker: beatStore, backend: false })
    expect(await other.beat.list()).toMatchObject([{ name: 'tick' }])
  })
})
