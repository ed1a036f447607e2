import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { MongoClient } from 'mongodb'
import { expireDeadLetters } from '../../src/control/expire-dead-letters.js'
import { Lovage, Reject, type ConfigInput } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { openSqlite } from '../support/knex-places.js'
import { serviceUrl } from '../support/service-url.js'
import { sqlPlace, type SqlServer } from '../support/sql-place.js'
import { randomName, tempFolder } from '../support/temp.js'

/** A store of a test's own, and all that is in it: one text for each key, row or document, as `table: content`. */
interface Place {
  readonly settings: ConfigInput
  contents(): Promise<readonly string[]>
  remove(): Promise<void>
}

interface Store {
  readonly store: string
  /** The server it needs. */
  readonly service?: string
  readonly open: () => Promise<Place>
}

/** What stays, as tables do, and does not grow: what was migrated, counters of ids and versions, beat's one line of its lead. */
const STAYS =
  /^(\w+_sequence|lovage_(kombu_)?(migration|topology|beat)|messages\.lovage\.beat): |:_lovage\.beat$/

async function memoryPlace(): Promise<Place> {
  const url = `memory://${randomName()}`
  const app = new Lovage('looks', { broker: url, backend: url })
  return {
    settings: { broker: url, backend: url },
    contents: async () => {
      const broker = await app.broker()
      const entries = await broker.schedules?.loadEntries()
      return [...((await broker.queues?.()) ?? []), ...(entries?.keys() ?? [])]
    },
    remove: () => app.close(),
  }
}

async function sqlitePlace(prefix: string): Promise<Place> {
  const folder = await tempFolder('emptied')
  const path = folder.file('queue.sqlite')
  const url = `${prefix}sqlite:///${path}`
  return {
    settings: { broker: url, backend: url.replace('sqla+', 'db+') },
    contents: async () => {
      const knex = openSqlite(path)
      try {
        return await rowsOf(
          knex,
          await knex('sqlite_master').where('type', 'table').select('name as table_name'),
        )
      } finally {
        await knex.destroy()
      }
    },
    remove: () => folder.remove(),
  }
}

async function serverPlace(server: SqlServer, scheme: string): Promise<Place> {
  const place = await sqlPlace(server)
  if (place === undefined) throw new TypeError(`${server} is not there any more`)
  const broker = place.url.replace(/^[a-z]+:/, `${scheme}:`)
  return {
    settings: { broker, backend: place.url.replace(/^/, 'db+') },
    contents: async () => {
      const schema = server === 'postgresql' ? 'current_schema()' : 'database()'
      const tables = place.knex('information_schema.tables').whereRaw(`table_schema = ${schema}`)
      return rowsOf(place.knex, await tables.select('table_name as table_name'))
    },
    remove: () => place.remove(),
  }
}

async function rowsOf(
  knex: Knex,
  tables: readonly { readonly table_name: string }[],
): Promise<readonly string[]> {
  const found: string[] = []
  for (const { table_name: table } of tables) {
    const rows: unknown[] = await knex.select('*').from(table)
    found.push(...rows.map((row) => `${table}: ${JSON.stringify(row)}`))
  }
  return found
}

async function redisPlace(): Promise<Place> {
  const url = serviceUrl('redis') ?? ''
  const prefix = `${randomName('emptied')}:`
  const options = { global_keyprefix: prefix }
  const redis = new Redis(url)
  return {
    settings: {
      broker: url,
      backend: url,
      brokerTransportOptions: options,
      resultBackendTransportOptions: options,
    },
    contents: () => redis.keys(`${prefix}*`),
    remove: async () => {
      await redis.quit()
    },
  }
}

async function mongodbPlace(): Promise<Place> {
  const base = serviceUrl('mongodb') ?? ''
  const client = new MongoClient(base)
  const database = client.db(randomName('emptied'))
  const url = `${base.replace(/\/[^/]*$/, '/')}${database.databaseName}`
  return {
    settings: { broker: url, backend: url },
    contents: async () => {
      const found: string[] = []
      for (const { name } of await database.listCollections().toArray()) {
        const documents = await database.collection(name).find().toArray()
        found.push(...documents.map((document) => `${name}: ${JSON.stringify(document)}`))
      }
      return found
    },
    remove: async () => {
      await database.dropDatabase()
      await client.close()
    },
  }
}

const stores: readonly Store[] = [
  { store: 'memory', open: memoryPlace },
  { store: 'SQLite', open: () => sqlitePlace('') },
  { store: "kombu's tables on SQLite", open: () => sqlitePlace('sqla+') },
  { store: 'Redis', service: 'redis', open: redisPlace },
  { store: 'MongoDB', service: 'mongodb', open: mongodbPlace },
  ...(['postgresql', 'mariadb'] as const).flatMap((service) => {
    const scheme = service === 'mariadb' ? 'mysql' : service
    return [
      { store: service, service, open: () => serverPlace(service, scheme) },
      { store: `kombu's tables on ${service}`, service, open: () => serverPlace(service, `sqla+${scheme}`) },
    ]
  }),
]

/** Everything that leaves something in a store: runs, retries, failures, delays, dead letters, results, beat. */
async function useAll(app: Lovage): Promise<void> {
  const add = app.task('emptied.add', (x: number, y: number) => x + y)
  const fail = app.task('emptied.fail', () => {
    throw new RangeError('no')
  })
  const reject = app.task('emptied.reject', () => {
    throw new Reject('no')
  })
  const again = app.task({ name: 'emptied.again', bind: true }, (self) => {
    if (self.request.retries < 2) throw self.retry({ countdown: 0 })
    return 'done'
  })
  await using _worker = await startWorker(app)
  const calls = await Promise.all([
    add.delay(1, 2),
    add.applyAsync([1, 2], { countdown: { milliseconds: 300 } }),
    add.applyAsync([1, 2], { expires: new Date(0) }),
    add.applyAsync([1, 2], { link: add.s(3) }),
    fail.delay(),
    reject.delay(),
    again.delay(),
  ])
  await Promise.all(calls.map((call) => call.get({ propagate: false, timeout: 30 })))
  await app.beat.upsert('tick', { task: 'emptied.add', schedule: 3600, args: [1, 2] })
  await (await app.beat.runNow('tick')).get(30)
  await app.beat.remove('tick')
}

describe.each(stores)('$store, once all has ended', ({ service, open }) => {
  const isHere = service === undefined || serviceUrl(service) !== undefined
  const itHere = isHere ? it : it.skip

  itHere(
    'holds nothing of ours',
    async () => {
      const place = await open()
      try {
        await fillAndEmpty(place)
      } finally {
        await place.remove()
      }
    },
    60_000,
  )
})

async function fillAndEmpty(place: Place): Promise<void> {
  await using app = new Lovage('emptied', { ...place.settings, resultExpires: 1 })
  await useAll(app)
  const broker = await app.broker()
  const backend = await app.resultBackend()
  const left = async (): Promise<readonly string[]> =>
    (await place.contents()).filter((entry) => !STAYS.test(entry))
  expect(await broker.depth('celery.dead')).toBe(1)

  const limits = { expiresMs: 0, maxLength: Number.POSITIVE_INFINITY }
  expect(await expireDeadLetters(broker, 'celery', limits, Date.now() + 60_000)).toBe(1)
  expect([await broker.depth('celery'), await broker.depth('celery.dead')]).toEqual([0, 0])
  for (const queue of ['celery', 'celery.dead']) await broker.delete(queue)
  // Results end after a second, on the clock of the store.
  const untilMs = performance.now() + 10_000
  while ((await left()).length > 0 && performance.now() < untilMs) {
    await sleep(200)
    await backend.cleanup?.()
  }

  expect(await left()).toEqual([])
}
