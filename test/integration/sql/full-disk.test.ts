import { describe, expect } from '@jest/globals'
import type { Broker } from '../../../src/broker/contract.js'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import { itWithSmallDisk, smallDisk } from '../../support/small-disk.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

const itOnDisk = await itWithSmallDisk()

async function publishUntilFull(
  broker: Broker,
  queue: string,
): Promise<{ confirmed: string[]; error: unknown }> {
  const confirmed: string[] = []
  const padding = 'x'.repeat(2000)
  for (;;) {
    const ids = Array.from({ length: 10 }, (_, index) => String(confirmed.length + index))
    try {
      await broker.publish(ids.map((id) => textMessage(queue, id, { padding })))
      confirmed.push(...ids)
    } catch (error) {
      return { confirmed, error }
    }
  }
}

describe('a disk that is full', () => {
  itOnDisk(
    'is a retryable error, loses nothing that was confirmed, and is over when there is room again',
    async () => {
      await using folder = await tempFolder('full')
      await using disk = await smallDisk(folder.file('disk'), 2)
      const queue = randomName('queue')
      const broker = await openBroker(sqliteUrl(`${disk.path}/queue.db`), queue)

      const { confirmed, error } = await publishUntilFull(broker, queue)
      await disk.grow()
      await broker.publish([textMessage(queue, 'last')])

      expect(error).toBeInstanceOf(BrokerConnectionError)
      expect(error).toMatchObject({ retryable: true })
      const consumer = await broker.consume([queue], { credit: 10_000, leaseMs: 30_000 })
      const found: unknown[] = []
      for (;;) {
        const deliveries = await consumer.fetch(100, { waitMs: 0, signal: never })
        if (deliveries.length === 0) break
        found.push(...deliveries.map(({ message }) => message.headers['id']))
        await consumer.ack(deliveries)
      }
      expect(found).toEqual([...confirmed, 'last'])
      await broker.close()
    },
  )
})
