import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { createBroker } from '../../../brokers/mongodb/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Outgoing } from '../../../src/broker/contract.js'
import { writeEnvelope } from '../../../src/broker/kombu-envelope.js'
import { MessageTooLargeError, PublishError } from '../../../src/errors/errors.js'
import { Lovage } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { never, textMessage } from '../sql/queue.js'

const url = serviceUrl('mongodb')
const itHere = url === undefined ? it.skip : it

describe('a result on MongoDB that no document holds', () => {
  itHere(
    'is a failure after one run, and leaves those beside it alone',
    async () => {
      const place = new URL(url ?? '')
      place.pathname = `/${randomName('large')}`
      await using app = new Lovage('shop', { broker: place.href })
      let runs = 0
      const large = app.task('tasks.large', () => {
        runs += 1
        return 'x'.repeat(2 ** 24)
      })
      const small = app.task('tasks.small', () => 'short')
      const worker = await startWorker(app)

      const [result, neighbour] = await Promise.all([large.delay(), small.delay()])

      expect(await neighbour.get(20)).toBe('short')
      await expect(result.get(40)).rejects.toThrow(/larger than the maximum size/)
      expect(await result.state()).toBe('FAILURE')
      await worker.stop()
      expect(runs).toBe(1)
    },
    60_000,
  )
})

describe('a message on MongoDB that no document holds', () => {
  itHere(
    'is refused by itself, for good',
    async () => {
      const place = new URL(url ?? '')
      place.pathname = `/${randomName('large')}`
      const broker = createBroker(parseConnectionUrl(place.href), {})
      await broker.connect(never)
      await broker.declare({ name: 'orders', lifetime: 'durable', bindings: [] })

      const publishing = broker.publish([
        textMessage('orders', 'a'),
        textMessage('orders', 'x'.repeat(2 ** 24)),
        textMessage('orders', 'b'),
      ])

      await expect(publishing).rejects.toMatchObject({
        indexes: [1],
        retryable: false,
        cause: expect.any(MessageTooLargeError),
      })
      expect(await broker.depth('orders')).toBe(2)
      await broker.close()
    },
    60_000,
  )

  itHere(
    'is none where a letter is longer than the longest message: what cannot be compressed is set aside all the same',
    async () => {
      const place = new URL(url ?? '')
      place.pathname = `/${randomName('large')}`
      await using app = new Lovage('shop', { broker: place.href, backend: false })
      const broker = createBroker(parseConnectionUrl(place.href), {})
      await broker.connect(never)
      for (const name of ['celery', 'celery.dead'])
        await broker.declare({ name, lifetime: 'durable', bindings: [] })
      const withBody = (body: Uint8Array): Outgoing => {
        const { route, message } = textMessage('celery', '')
        return { route, message: { ...message, body } }
      }
      const { route, message } = withBody(new Uint8Array())
      const most = 2 ** 24 - 16 * 1024 - Buffer.byteLength(writeEnvelope(message, route))
      const body = randomBytes(3 * Math.floor(most / 4))
      await expect(broker.publish([withBody(Buffer.concat([body, randomBytes(3)]))])).rejects.toBeInstanceOf(
        PublishError,
      )
      await broker.publish([withBody(body)])
      const consumer = await broker.consume(['celery.dead'], { credit: 1, leaseMs: 30_000 })
      const worker = await startWorker(app)

      const [letter] = await consumer.fetch(1, { waitMs: 20_000, signal: never })
      await worker.stop()

      expect(letter?.message.headers).toMatchObject({ 'lovage-dead-reason': 'unreadable' })
      expect(body.equals(letter?.message.body ?? Buffer.alloc(0))).toBe(true)
      expect(await broker.depth('celery')).toBe(0)
      await broker.close()
    },
    60_000,
  )
})
