import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { chooseEngine } from '../../../brokers/sql/engine/choose.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import type { Broker, Consumer, Delivery } from '../../../src/broker/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

const LEASE_MS = 1000

async function claimed(broker: Broker, queue: string): Promise<readonly [Consumer, readonly Delivery[]]> {
  await broker.publish([textMessage(queue, 'a')])
  const consumer = await broker.consume([queue], { credit: 1, leaseMs: LEASE_MS })
  return [consumer, await consumer.fetch(1, { waitMs: 5_000, signal: never })]
}

describe('workers that are locked out of a SQLite file together, for longer than their leases', () => {
  it('all keep their claims, whichever looks first afterwards', async () => {
    await using folder = await tempFolder('locked-out')
    const queue = randomName('queue')
    const path = folder.file('queue.db')
    const [one, keeper] = [
      await openBroker(sqliteUrl(path), queue),
      createBroker(parseConnectionUrl(sqliteUrl(path)), {}),
    ]
    await keeper.connect(never)
    const [consumer, deliveries] = await claimed(one, queue)
    const other = await one.consume([queue], { credit: 10, leaseMs: 30_000 })
    const frozen = (await chooseEngine(undefined)).open(path)

    frozen.exec('BEGIN IMMEDIATE')
    await sleep(2 * LEASE_MS)
    frozen.exec('ROLLBACK')
    const stolen = other.fetch(10, { waitMs: 4 * LEASE_MS, signal: never })
    await sleep(500)
    for (let round = 0; round < 6; round += 1) {
      await keeper.leases?.renew(consumer.holder ?? '', [], LEASE_MS)
      await sleep(300)
    }

    expect(await consumer.ack(deliveries)).toEqual([])
    expect(await stolen).toEqual([])
    frozen.close()
    await keeper.close()
    await one.close()
  })

  it('lose them when they renew them no more', async () => {
    await using folder = await tempFolder('locked-out')
    const queue = randomName('queue')
    const broker = await openBroker(sqliteUrl(folder.file('queue.db')), queue)
    const [consumer, deliveries] = await claimed(broker, queue)
    const other = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })

    const again = await other.fetch(10, { waitMs: 20_000, signal: never })

    expect(again.map(({ deliveryCount }) => deliveryCount)).toEqual([2])
    expect(await consumer.ack(deliveries)).toEqual(deliveries)
    await expect(consumer.fetch(1, { waitMs: 0, signal: never })).rejects.toBeInstanceOf(
      BrokerConnectionError,
    )
    await broker.close()
  })
})
