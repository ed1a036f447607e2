import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { chooseEngine } from '../../../brokers/sql/engine/choose.js'
import type { Delivery } from '../../../src/broker/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { jsonCodec } from '../../conformance/index.js'
import { toRecord } from '../../conformance/backend/stage.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

const LEASE_MS = 500
const DEEP = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`

async function fetchTwo(url: string, queue: string): Promise<readonly Delivery[]> {
  const broker = await openBroker(url, queue)
  const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
  const found: Delivery[] = []
  while (found.length < 2) found.push(...(await consumer.fetch(10, { waitMs: 20_000, signal: never })))
  await consumer.ack(found)
  await broker.close()
  return found
}

/** A broken message beside another one is claimed; a broken result is an error of its own record. */
async function expectOthersRead(
  url: string,
  queue: string,
  run: (sql: string) => Promise<unknown>,
): Promise<void> {
  const broker = await openBroker(url, queue)
  await broker.publish([textMessage(queue, 'broken'), textMessage(queue, 'other')])
  await run(`UPDATE lovage_message SET meta = '{"headers":' WHERE meta LIKE '%broken%'`)

  const found = await fetchTwo(url, queue)

  expect(found.map(({ message }) => message.headers['id'])).toEqual([undefined, 'other'])
  await broker.close()
}

async function expectOtherResultsRead(url: string, run: (sql: string) => Promise<unknown>): Promise<void> {
  const backend = createBackend(parseConnectionUrl(url), { codec: jsonCodec })
  await backend.connect(never)
  await backend.store([toRecord('broken'), toRecord('other', { result: 3 })], { ttlMs: 0 })
  await run(`UPDATE celery_taskmeta SET result = '{"sum":' WHERE task_id = 'broken'`)

  const found = await backend.load(['broken', 'other'])

  expect(found.get('other')?.result).toBe(3)
  expect(() => found.get('broken')?.result).toThrow()
  await backend.close()
}

describe('one row that cannot be read on SQLite', () => {
  async function runOn(path: string, sql: string): Promise<void> {
    const file = (await chooseEngine(undefined)).open(path)
    expect(file.prepare(sql).run([])).toBe(1)
    file.close()
  }

  it('of the queue is claimed beside the others', async () => {
    await using folder = await tempFolder('broken')
    const path = folder.file('queue.db')
    await expectOthersRead(sqliteUrl(path), randomName('queue'), (sql) => runOn(path, sql))
  })

  it('of the results is an error of its own record only', async () => {
    await using folder = await tempFolder('broken')
    const path = folder.file('results.db')
    await expectOtherResultsRead(sqliteUrl(path), (sql) => runOn(path, sql))
  })
})

describe.each(['postgresql', 'mariadb'] as const)('one row that cannot be read on %s', (server) => {
  const itHere = serviceUrl(server) === undefined ? it.skip : it

  itHere.each([
    ['has headers nested 20,000 deep', `{"body":"YQ==","headers":${DEEP},"properties":{}}`],
    ['is no envelope', 'neither JSON nor anything else'],
  ])(
    "of kombu's tables that %s comes back like the others when its worker has died",
    async (_what, payload) => {
      await using place = await sqlPlace(server)
      if (place === undefined) throw new Error(`${server} is not there any more`)
      const url = `sqla+${place.url}`
      const queue = randomName('queue')
      const broker = await openBroker(url, queue)
      await broker.publish([textMessage(queue, 'other')])
      await place.knex('kombu_message').insert({
        id: 1_000_000,
        visible: true,
        payload,
        version: 1,
        queue_id: place.knex('kombu_queue').select('id').where({ name: queue }),
      })
      const lost = await broker.consume([queue], { credit: 10, leaseMs: LEASE_MS })
      expect(await lost.fetch(10, { waitMs: 5_000, signal: never })).toHaveLength(2)
      await sleep(2 * LEASE_MS)

      const found = await fetchTwo(url, queue)

      const other = found.find(({ message }) => message.headers['id'] === 'other')
      expect(other?.deliveryCount).toBe(2)
      await broker.close()
    },
  )

  itHere('of the queue is claimed beside the others', async () => {
    await using place = await sqlPlace(server)
    if (place === undefined) throw new Error(`${server} is not there any more`)
    await expectOthersRead(place.url, randomName('queue'), async (sql) => place.knex.raw(sql))
  })

  itHere('of the results is an error of its own record only', async () => {
    await using place = await sqlPlace(server)
    if (place === undefined) throw new Error(`${server} is not there any more`)
    await expectOtherResultsRead(place.url, async (sql) => place.knex.raw(sql))
  })
})
