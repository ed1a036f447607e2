import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createBroker } from '../../../brokers/mongodb/index.js'
import type { Broker } from '../../../src/broker/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { outgoing } from '../../support/messages.js'

const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe
const never = new AbortController().signal

async function open(queue: string): Promise<Broker> {
  const url = parseConnectionUrl(server ?? '')
  const broker = guardBroker(
    createBroker(url, { transportOptions: { wake: 'changes', default_database: 'changes' } }),
  )
  await broker.connect(never)
  await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
  return broker
}

withServer('a change stream of MongoDB', () => {
  it('wakes an idle consumer of another process long before it would look', async () => {
    const queue = randomName('queue')
    const [waiting, sending] = [await open(queue), await open(queue)]
    const consumer = await waiting.consume([queue], { credit: 10, leaseMs: 30_000 })
    const tookMs: number[] = []
    for (let round = 0; round < 3; round += 1) {
      const fetching = consumer.fetch(1, { waitMs: 20_000, signal: never })
      // Until the stream is trusted, and the consumer looks every few seconds only.
      await sleep(1_500)
      const sentMs = performance.now()
      await sending.publish([outgoing(queue, '{}')])
      await consumer.ack(await fetching)
      tookMs.push(performance.now() - sentMs)
    }

    // It would look three seconds after it last did, of which half are over.
    expect(Math.min(...tookMs)).toBeLessThan(1_200)
    await waiting.close()
    await sending.delete(queue)
    await sending.close()
  })
})
