import { rm } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { createBackend } from '../../../backends/sql/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import { jsonCodec } from '../../conformance/index.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
}

describe('a SQLite file that is deleted under a running process', () => {
  it('ends a waiting fetch with a connection error; what comes then goes to a new file', async () => {
    await using folder = await tempFolder('lost')
    const path = folder.file('queue.db')
    const [url, queue] = [sqliteUrl(path), randomName('queue')]
    const broker = await openBroker(url, queue)
    const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
    const fetching = consumer.fetch(1, { waitMs: 10_000, signal: never })

    await removeDatabase(path)

    await expect(fetching).rejects.toBeInstanceOf(BrokerConnectionError)
    await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
    await broker.publish([textMessage(queue, 'kept')])
    expect(await broker.depth(queue)).toBe(1)
    await broker.close()
  })

  it('makes claims lost, and results go to the new file', async () => {
    await using folder = await tempFolder('lost')
    const path = folder.file('queue.db')
    const [url, queue] = [sqliteUrl(path), randomName('queue')]
    const broker = await openBroker(url, queue)
    const backend = createBackend(parseConnectionUrl(url), { codec: jsonCodec })
    await backend.connect(never)
    await broker.publish([textMessage(queue, 'a')])
    const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000, results: backend.oneStep })
    const [delivery] = await consumer.fetch(1, { waitMs: 1000, signal: never })
    let changed = 0
    const watch = await backend.watch?.(['t'], () => (changed += 1))
    await removeDatabase(path)
    await expect(consumer.fetch(1, { waitMs: 10_000, signal: never })).rejects.toBeInstanceOf(
      BrokerConnectionError,
    )

    const lost = delivery && (await consumer.settle?.([{ delivery, publish: [] }]))
    await backend.store([{ taskId: 't', state: 'SUCCESS', result: 1, children: [] }], { ttlMs: 0 })

    expect(lost).toEqual([delivery])
    expect((await backend.load(['t'])).get('t')?.result).toBe(1)
    await eventually(() => changed > 0)
    await watch?.close()
    await broker.close()
    await backend.close()
  })
})
