import { describe, expect, it } from '@jest/globals'
import { createBroker } from '../../../brokers/mongodb/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { MessageTooLargeError } from '../../../src/errors/errors.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { never, textMessage } from '../sql/queue.js'

const url = serviceUrl('mongodb')
const itHere = url === undefined ? it.skip : it

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
})
