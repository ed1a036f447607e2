import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { MongoClient } from 'mongodb'
import type { Collection } from 'mongodb'
import { createBackend } from '../../../backends/mongodb/index.js'
import { createBroker } from '../../../brokers/mongodb/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker } from '../../../src/broker/contract.js'
import { BackendError, BrokerError, ConfigError, Lovage } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { jsonCodec } from '../../conformance/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

const base = serviceUrl('mongodb')
const never = new AbortController().signal
const inServer = base === undefined ? describe.skip : describe

inServer('documents in MongoDB that somebody else wrote', () => {
  const database = `foreign-${randomName()}`
  const url = `${(base ?? '').replace(/\/[^/]*$/, '/')}${database}`
  const client = new MongoClient(base ?? '')
  let messages: Collection
  let broker: Broker

  beforeAll(async () => {
    await client.connect()
    messages = client.db(database).collection('messages')
    broker = createBroker(parseConnectionUrl(url), {})
    await broker.connect(never)
  })

  afterAll(async () => {
    await broker.close()
    await client.db(database).dropDatabase()
    await client.close()
  })

  it('leave alone the messages that are claimed, due and swept with them', async () => {
    await using app = new Lovage('foreign', { broker: url, backend: url })
    const add = app.task('foreign.add', (x: number, y: number) => x + y)
    const deep = '['.repeat(20_000) + ']'.repeat(20_000)
    const envelope = `{"body":"W10=","headers":{"id":"a","task":"foreign.add","deep":${deep}},"properties":{"body_encoding":"base64"}}`
    await broker.declare({ name: 'celery', lifetime: 'durable', bindings: [] })
    await messages.insertMany([
      { payload: envelope, queue: 'celery', priority: 0 },
      { payload: 7, queue: 'celery', priority: 0 },
      { payload: { a: 'b' }, queue: 'celery', priority: 0, lovage: { spent: 'x', handouts: [] } },
      { queue: 'celery', priority: 0, lovage: 'text' },
      { queue: 'celery', priority: 0, lovage: null },
      { payload: '', queue: 'lovage.delayed/celery', priority: 0, lovage: { dueAt: 'never' } },
      { payload: '', queue: 'celery-other', priority: 0, lovage: { dueAt: new Date(0) } },
      { payload: '', queue: 'celery-other', priority: 0, expire_at: 'never' },
    ])
    await using _worker = await startWorker(app)

    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => add.delay(i, 1)))
    const delayed = await add.applyAsync([1, 2], { countdown: { milliseconds: 200 } })

    expect(await Promise.all(results.map((result) => result.get(20)))).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
    expect(await delayed.get(20)).toBe(3)
    // The five that are no messages are dead letters.
    expect(await messages.countDocuments({ queue: 'celery' })).toBe(0)
    expect(await messages.countDocuments({ queue: 'celery.dead' })).toBe(5)
  })

  it('keep no message of their exchange from the queues that are bound', async () => {
    const exchange = 'foreign.exchange'
    const binding = { exchange, type: 'topic', routingKey: 'a.*' } as const
    await broker.declare({ name: 'bound', lifetime: 'durable', bindings: [binding] })
    await client
      .db(database)
      .collection('messages.routing')
      .insertMany([
        { exchange, queue: 'odd', routing_key: 7, pattern: '^7$' },
        {
          exchange,
          queue: 'odd',
          routing_key: '',
          pattern: null,
          lovage: { type: 'headers', arguments: '{' },
        },
      ])
    const message = {
      body: Buffer.from('hi'),
      contentType: 'a',
      contentEncoding: 'b',
      headers: {},
      properties: {},
    }

    await broker.publish([{ route: { exchange, routingKey: 'a.b' }, message }])

    expect(await broker.depth('bound')).toBe(1)
  })

  it('keep back no broadcast after them', async () => {
    const route = { exchange: 'celeryev', routingKey: '' }
    const message = {
      body: Buffer.from('hi'),
      contentType: 'a',
      contentEncoding: 'b',
      headers: {},
      properties: {},
    }
    const heard: string[] = []
    let hear: () => void = () => undefined
    const isHeard = new Promise<void>((resolve) => (hear = resolve))
    const subscription = await broker.fanout?.subscribe(
      [{ exchange: 'celeryev', type: 'fanout', routingKey: '' }],
      {
        message: (_route, { body }) => {
          heard.push(Buffer.from(body).toString())
          hear()
        },
        lost: () => undefined,
      },
    )
    await client.db(database).collection('messages.broadcast').insertOne({ queue: 'celeryev', payload: 5 })

    await broker.fanout?.broadcast(route, message)

    await isHeard
    expect(heard).toEqual(['hi'])
    await subscription?.close()
  })
})

inServer('a set-up that MongoDB refuses', () => {
  const database = `refused-${randomName()}`
  const url = `${(base ?? '').replace(/\/[^/]*$/, '/')}${database}`
  const client = new MongoClient(base ?? '')

  beforeAll(async () => {
    await client.connect()
    // Indexes of other programs with the names of ours: the server refuses ours.
    const db = client.db(database)
    await db.collection('messages').createIndex({ queue: 1, priority: 1, _id: 1 }, { unique: true }, {})
    await db.collection('celery_taskmeta').createIndex({ date_done: 1 }, { unique: true }, {})
  })

  afterAll(async () => {
    await client.db(database).dropDatabase()
    await client.close()
  })

  it('is an error at connect, of broker and backend', async () => {
    const broker = createBroker(parseConnectionUrl(url), {})
    const backend = createBackend(parseConnectionUrl(url), { codec: jsonCodec })

    await expect(broker.connect(never)).rejects.toThrow(BrokerError)
    await expect(backend.connect(never)).rejects.toThrow(BackendError)
    await broker.close()
    await backend.close()
  })

  it('as writes that nothing confirms, is refused before', () => {
    expect(() => createBroker(parseConnectionUrl(`${url}?w=0`), {})).toThrow(ConfigError)
    expect(() => createBackend(parseConnectionUrl(`${url}?w=0`), { codec: jsonCodec })).toThrow(ConfigError)
  })
})
