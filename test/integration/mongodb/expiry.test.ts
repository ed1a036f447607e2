import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { createBackend } from '../../../backends/mongodb/index.js'
import { createBroker } from '../../../brokers/mongodb/index.js'
import type { Broker } from '../../../src/broker/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBackend } from '../../../src/backend/guard.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { jsonCodec } from '../../conformance/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { outgoing } from '../../support/messages.js'

const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe
const never = new AbortController().signal
/** A mongod looks for what has expired once a minute. */
const LIMIT_MS = 130_000

async function open(database: string, queue: string): Promise<Broker> {
  const transportOptions = { default_database: database, ttl: true }
  const broker = guardBroker(createBroker(parseConnectionUrl(server ?? ''), { transportOptions }))
  await broker.connect(never)
  await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
  return broker
}

withServer('what has expired in MongoDB', () => {
  it(
    'is deleted with the option ttl, by the server or by whoever consumes anything',
    async () => {
      const [database, queue] = [randomName('expiry'), randomName('queue')]
      const broker = await open(database, queue)
      await broker.publish([
        outgoing(queue, '{}', { properties: { expirationMs: 1 } }),
        outgoing(queue, '{}', { properties: { expirationMs: 3_600_000 } }),
        outgoing(queue, '{}'),
      ])
      expect(await broker.depth?.(queue)).toBe(3)
      await sleep(50)

      await broker.declare({ name: 'other', lifetime: 'durable', bindings: [] })
      const consumer = await broker.consume(['other'], { credit: 1, leaseMs: 30_000 })
      const endMs = performance.now() + LIMIT_MS
      while ((await broker.depth?.(queue)) !== 2 && performance.now() < endMs)
        await consumer.fetch(1, { waitMs: 20, signal: never })

      expect(await broker.depth?.(queue)).toBe(2)
      await broker.close()
    },
    LIMIT_MS,
  )

  it('is no result any more, and an index or `cleanup` deletes its document', async () => {
    const database = randomName('expiry')
    const backend = guardBackend(
      createBackend(parseConnectionUrl(server ?? ''), { codec: jsonCodec, transportOptions: { database } }),
    )
    await backend.connect(never)
    await backend.store([{ taskId: 'a', state: 'SUCCESS', result: 1, children: [], doneAtMs: 1 }], {
      ttlMs: 1,
    })
    await backend.store([{ taskId: 'b', state: 'SUCCESS', result: 2, children: [], doneAtMs: 1 }], {
      ttlMs: 3_600_000,
    })
    await sleep(50)

    expect([...(await backend.load(['a', 'b'])).keys()]).toEqual(['b'])
    const client = await MongoClient.connect(server ?? '')
    const records = client.db(database).collection('celery_taskmeta')
    const indexes = await records.indexes()
    expect(indexes).toContainEqual(expect.objectContaining({ key: { expire_at: 1 }, expireAfterSeconds: 0 }))
    await backend.cleanup?.()
    expect(await records.countDocuments()).toBe(1)
    await client.close()
    await backend.close()
  })
})
