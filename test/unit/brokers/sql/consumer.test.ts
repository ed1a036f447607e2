import { afterEach, describe, expect, it } from '@jest/globals'
import { createBroker } from '../../../../brokers/sql/index.js'
import type { Broker, Consumer, Delivery } from '../../../../src/broker/contract.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { BrokerConnectionError } from '../../../../src/errors/errors.js'
import { toMessage } from '../../../conformance/broker/stage.js'
import { sqliteUrl } from '../../../support/sqlite.js'
import { tempFolder } from '../../../support/temp.js'
import type { TempFolder } from '../../../support/temp.js'

const signal = new AbortController().signal
const QUEUE = 'reaped'
const LEASE_MS = 100
const folders: TempFolder[] = []
const brokers: Broker[] = []

afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close()
  for (const folder of folders.splice(0)) await folder.remove()
})

interface Scene {
  readonly broker: Broker
  /** Its lease ran out and another consumer freed what it had. */
  readonly overslept: Consumer
  readonly delivery: Delivery
}

async function send(broker: Broker, text: string): Promise<void> {
  await broker.publish([{ message: toMessage(text), route: { exchange: '', routingKey: QUEUE } }])
}

async function overslept(credit: number): Promise<Scene> {
  const folder = await tempFolder('reaped')
  folders.push(folder)
  const broker = createBroker(parseConnectionUrl(sqliteUrl(folder.file('queue.db'))), {})
  brokers.push(broker)
  await broker.connect(signal)
  await broker.declare({ name: QUEUE, lifetime: 'durable', bindings: [] })
  await send(broker, 'a')
  const consumer = await broker.consume([QUEUE], { credit, leaseMs: LEASE_MS })
  const [delivery] = await consumer.fetch(1, { waitMs: 5_000, signal })
  const other = await broker.consume([QUEUE], { credit: 1, leaseMs: 30_000 })
  await other.ack(await other.fetch(1, { waitMs: 10_000, signal }))
  if (delivery === undefined) throw new TypeError('nothing was claimed')
  return { broker, overslept: consumer, delivery }
}

describe('a SQL consumer whose lease ran out', () => {
  it('claims nothing more, and is not made again', async () => {
    const { broker, overslept: consumer, delivery } = await overslept(10)
    await send(broker, 'b')

    await expect(consumer.fetch(1, { waitMs: 0, signal })).rejects.toBeInstanceOf(BrokerConnectionError)

    expect(await broker.leases?.renew(consumer.holder ?? '', [], LEASE_MS)).toMatchObject({ held: false })
    expect(await consumer.ack([delivery])).toEqual([delivery])
    expect(await broker.depth(QUEUE)).toBe(1)
  })

  it('says so even when what it lost uses up its credit', async () => {
    const { overslept: consumer } = await overslept(1)

    await expect(consumer.fetch(1, { waitMs: 0, signal })).rejects.toBeInstanceOf(BrokerConnectionError)
  })
})
