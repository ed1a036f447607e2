import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { jsonCodec } from '../../conformance/index.js'
import { toRecord } from '../../conformance/backend/stage.js'
import { OwnServer } from '../../support/own-server.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

describe.each(['postgresql', 'mariadb'] as const)('a restart of %s', (kind) => {
  const itHere = serviceUrl(kind) === undefined ? it.skip : it

  itHere(
    'keeps messages, delayed ones and results',
    async () => {
      await using server = await OwnServer.open(kind)
      if (server === undefined) throw new Error(`${kind} is not there any more`)
      const queue = randomName('queue')
      const before = await openBroker(server.url(), queue)
      const backend = createBackend(parseConnectionUrl(server.url()), { codec: jsonCodec })
      await backend.connect(never)
      await before.publish([
        textMessage(queue, 'ready'),
        { ...textMessage(queue, 'delayed'), delayMs: 8_000 },
      ])
      await backend.store([toRecord('kept', { result: 3 })], { ttlMs: 0 })
      await before.close()
      await backend.close()

      await server.kill()
      await server.start()

      const after = await openBroker(server.url(), queue)
      const again = createBackend(parseConnectionUrl(server.url()), { codec: jsonCodec })
      await again.connect(never)
      const consumer = await after.consume([queue], { credit: 10, leaseMs: 30_000 })
      const found: unknown[] = []
      while (found.length < 2) {
        const deliveries = await consumer.fetch(10, { waitMs: 20_000, signal: never })
        found.push(...deliveries.map(({ message }) => message.headers['id']))
        await consumer.ack(deliveries)
      }
      expect(found).toEqual(['ready', 'delayed'])
      expect((await again.load(['kept'])).get('kept')?.result).toBe(3)
      await after.close()
      await again.close()
    },
    90_000,
  )
})
