import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { MongoClient } from 'mongodb'
import { GetQueueAttributesCommand, ListQueuesCommand } from '@aws-sdk/client-sqs'
import { expireDeadLetters } from '../../src/control/expire-dead-letters.js'
import { Lovage, Reject, type ConfigInput } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { canStartRabbitmq, RabbitmqServer } from '../support/rabbitmq-server.js'
import { openSqlite } from '../support/knex-places.js'
import { serviceUrl } from '../support/service-url.js'
import { sqlPlace, type SqlServer } from '../support/sql-place.js'
import { randomName, tempFolder } from '../support/temp.js'
import { SqsStage } from './sqs/stage.js'
import { internalsOf } from '../../src/util/internals.js'

/** A store of a test's own, and all that is in it: one text for each key, row or document, as `table: content`. */
interface Place {
  readonly settings: ConfigInput
  contents(): Promise<readonly string[]>
  /** How long the store keeps a message at most, in seconds, where it tells. */
  longestSeconds?(): Promise<number>
  remove(): Promise<void>
}

interface Store {
  readonly store: string
  /** Whether the server it needs is there. */
  readonly isHere?: boolean
  readonly open: () => Promise<Place>
}

/**
 * What stays, as tables do, and does not grow: what was migrated, counters of ids and versions, beat's one line of its lead; on
 * RabbitMQ, for as long as the server, the empty queues of the delays, their exchanges and that of each queue.
 */
const STAYS =
  /^(\w+_sequence|lovage_(kombu_)?(migration|topology|beat)|messages\.lovage\.beat): |:_lovage\.beat$|^queue: celery_delayed_\d+ 0$|^exchange: celery(_delayed_\d+|_delayed_delivery)?$/
/** How long RabbitMQ keeps a dead letter in this test, in seconds. */
const LETTER_SECONDS = 10
/** What SQS keeps a message for unless the queue says otherwise, in seconds; 14 days are the most. */
const SQS_RETENTION = 4 * 86_400

async function memoryPlace(): Promise<Place> {
  const url = `memory://${randomName()}`
  const app = new Lovage('looks', { broker: url, backend: url })
  return {
    settings: { broker: url, backend: url },
    contents: async () => {
      const broker = await internalsOf(app).broker()
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

async function rabbitmqPlace(): Promise<Place> {
  const server = await RabbitmqServer.start()
  const folder = await tempFolder('emptied')
  const listed = async (what: string, columns: readonly string[], kind: string): Promise<readonly string[]> =>
    (await server.ctl('-q', what, ...columns, '--no-table-headers'))
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^amq\.|^\t/.test(line))
      .map((line) => `${kind}: ${line.replaceAll('\t', ' ')}`)
  return {
    settings: {
      broker: server.url,
      backend: 'rpc://',
      beatScheduleFilename: folder.file('schedule'),
      deadLetterExpires: LETTER_SECONDS,
    },
    contents: async () => [
      ...(await listed('list_queues', ['name', 'messages'], 'queue')),
      ...(await listed('list_exchanges', ['name'], 'exchange')),
    ],
    remove: async () => {
      await server[Symbol.asyncDispose]()
      await folder.remove()
    },
  }
}

async function sqsPlace(server: 'sqs' | 'fauxqs'): Promise<Place> {
  const url = serviceUrl(server) ?? ''
  const stage = await SqsStage.open(url)
  const folder = await tempFolder('emptied')
  const { client, prefix } = stage
  const queues = async (): Promise<readonly string[]> =>
    (await client.send(new ListQueuesCommand({ QueueNamePrefix: prefix }))).QueueUrls ?? []
  const attributes = async (QueueUrl: string): Promise<Readonly<Record<string, string>>> => {
    const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })
    return (await client.send(asked)).Attributes ?? {}
  }
  return {
    settings: {
      broker: url,
      brokerTransportOptions: { queue_name_prefix: prefix },
      backend: `memory://${randomName()}`,
      beatScheduleFilename: folder.file('schedule'),
    },
    contents: async () => {
      const found: string[] = []
      for (const queue of await queues()) found.push(`${queue}: ${JSON.stringify(await attributes(queue))}`)
      return found
    },
    // ElasticMQ has no retention.
    ...(server === 'fauxqs' && {
      longestSeconds: async () => {
        const kept: number[] = []
        for (const queue of await queues())
          kept.push(Number((await attributes(queue))['MessageRetentionPeriod']))
        return Math.max(...kept)
      },
    }),
    remove: async () => {
      await stage[Symbol.asyncDispose]()
      await folder.remove()
    },
  }
}

const stores: readonly Store[] = [
  { store: 'memory', open: memoryPlace },
  { store: 'SQLite', open: () => sqlitePlace('') },
  { store: "kombu's tables on SQLite", open: () => sqlitePlace('sqla+') },
  { store: 'Redis', isHere: serviceUrl('redis') !== undefined, open: redisPlace },
  { store: 'MongoDB', isHere: serviceUrl('mongodb') !== undefined, open: mongodbPlace },
  { store: 'RabbitMQ', isHere: canStartRabbitmq(), open: rabbitmqPlace },
  ...(['sqs', 'fauxqs'] as const).map((server) => ({
    store: `SQS on ${server === 'sqs' ? 'ElasticMQ' : server}`,
    isHere: serviceUrl(server) !== undefined,
    open: () => sqsPlace(server),
  })),
  ...(['postgresql', 'mariadb'] as const).flatMap((service) => {
    const isHere = serviceUrl(service) !== undefined
    const scheme = service === 'mariadb' ? 'mysql' : service
    return [
      { store: service, isHere, open: () => serverPlace(service, scheme) },
      { store: `kombu's tables on ${service}`, isHere, open: () => serverPlace(service, `sqla+${scheme}`) },
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
    reject.delay(),
    again.delay(),
  ])
  await Promise.all(calls.map((call) => call.get({ propagate: false, timeout: 30 })))
  await app.beat.upsert('tick', { task: 'emptied.add', schedule: 3600, args: [1, 2] })
  await (await app.beat.runNow('tick')).get(30)
  await app.beat.remove('tick')
}

describe.each(stores)('$store, once all has ended', ({ isHere = true, open }) => {
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
  const settings = { ...place.settings, resultExpires: 1 }
  await using looks = new Lovage('looks', settings)
  const broker = await internalsOf(looks).broker()
  const backend = await internalsOf(looks).resultBackend()
  {
    await using app = new Lovage('emptied', settings)
    await useAll(app)
  }
  const left = async (): Promise<readonly string[]> =>
    (await place.contents()).filter((entry) => !STAYS.test(entry))
  expect(await broker.depth('celery.dead')).toBe(2)
  if (place.longestSeconds !== undefined) expect(await place.longestSeconds()).toBe(SQS_RETENTION)

  const one = { expiresMs: Number.POSITIVE_INFINITY, maxLength: 1 }
  expect(await expireDeadLetters(broker, 'celery', one, Date.now())).toBe(1)
  const limits = { expiresMs: 0, maxLength: Number.POSITIVE_INFINITY }
  const expiresThere = broker.capabilities.expires === true
  const dropped = await expireDeadLetters(broker, 'celery', limits, Date.now() + 60_000)
  expect(dropped).toBe(expiresThere ? 0 : 1)
  if (expiresThere) await until(async () => (await broker.depth('celery.dead')) === 0)
  expect([await broker.depth('celery'), await broker.depth('celery.dead')]).toEqual([0, 0])
  for (const queue of ['celery', 'celery.dead']) await broker.delete(queue)
  // Results end after a second, on the clock of the store.
  await until(async () => {
    await backend.cleanup?.()
    return (await left()).length === 0
  })

  expect(await left()).toEqual([])
}

/** Waits for what is said, at most twenty seconds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 20_000; performance.now() < endMs; await sleep(200))
    if (await holds()) return
}
