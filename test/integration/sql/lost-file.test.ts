import { rm } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
}

describe('a SQLite file that is deleted under a running process', () => {
  it('ends a waiting fetch with a connection error, and a new connection works on a new file', async () => {
    await using folder = await tempFolder('lost')
    const path = folder.file('queue.db')
    const [url, queue] = [sqliteUrl(path), randomName('queue')]
    const broker = await openBroker(url, queue)
    const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
    const fetching = consumer.fetch(1, { waitMs: 10_000, signal: never })

    await removeDatabase(path)

    await expect(fetching).rejects.toBeInstanceOf(BrokerConnectionError)
    await expect(broker.publish([textMessage(queue, 'lost')])).rejects.toMatchObject({ retryable: true })
    const next = await openBroker(url, queue)
    await next.publish([textMessage(queue, 'kept')])
    expect(await next.depth(queue)).toBe(1)
    await broker.close()
    await next.close()
  })
})
