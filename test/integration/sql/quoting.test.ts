import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Knex } from 'knex'
import { createBackend } from '../../../backends/sql/index.js'
import { createBroker, migrate } from '../../../brokers/sql/index.js'
import { guardBackend } from '../../../src/backend/guard.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { jsonCodec } from '../../conformance/index.js'
import { toRecord } from '../../conformance/backend/stage.js'
import { OwnServer } from '../../support/own-server.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { never, textMessage } from './queue.js'

const knex: (config: Knex.Config) => Knex = createRequire(import.meta.url)('knex')
const describeHere = serviceUrl('mariadb') === undefined ? describe.skip : describe

/** Texts that end a literal under one way of quoting or another, or are changed by it. */
const TEXTS = [
  "') or 1 = 1 -- ",
  "\\') or 1 = 1 -- ",
  "' or '1' = '1",
  'a \\" quote, a ?, a \\\\ and a \n line',
  'zero \0 end',
  'größe 値 🌿',
]

async function expectTextsKept(target: string | Knex): Promise<void> {
  const url = parseConnectionUrl(typeof target === 'string' ? target : 'knex://')
  const given = typeof target === 'string' ? {} : { target }
  const queue = randomName("queue'\\")
  const broker = guardBroker(createBroker(url, given))
  const backend = guardBackend(createBackend(url, { codec: jsonCodec, ...given }))
  await broker.connect(never)
  await backend.connect(never)
  await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
  const ids = TEXTS.map((text) => `${text} ${randomName('id')}`)

  await backend.store([toRecord('secret')], { ttlMs: 0 })
  expect((await backend.load(TEXTS)).size).toBe(0)
  await backend.forget(TEXTS)
  await backend.store(
    ids.map((id, index) => toRecord(id, { result: TEXTS[index] })),
    { ttlMs: 0 },
  )
  await broker.publish(TEXTS.map((text) => textMessage(queue, text, { text })))

  const found = await backend.load([...ids, 'secret'])
  expect(ids.map((id) => found.get(id)?.result)).toEqual(TEXTS)
  expect(found.has('secret')).toBe(true)
  const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
  const deliveries = await consumer.fetch(10, { waitMs: 5_000, signal: never })
  expect(deliveries.map(({ message }) => message.headers['text'])).toEqual(TEXTS)
  expect(await consumer.ack(deliveries)).toEqual([])
  await broker.close()
  await backend.close()
}

describeHere('MariaDB on which a backslash in a literal is a backslash', () => {
  let server: OwnServer

  beforeAll(async () => {
    server = await OwnServer.open('mariadb', ['--sql-mode=NO_BACKSLASH_ESCAPES'])
  }, 60_000)

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  it('keeps every text a value', async () => {
    await expectTextsKept(server.url())
  }, 60_000)

  it("keeps every text a value on connections of the application's own", async () => {
    const application = knex({ client: 'mysql2', connection: server.url() })
    await migrate(application)
    await expectTextsKept(application).finally(() => application.destroy())
  }, 60_000)
})

describeHere('MariaDB on which a backslash in a literal escapes', () => {
  it('keeps every text a value', async () => {
    await expectTextsKept(serviceUrl('mariadb') ?? '')
  }, 60_000)
})
