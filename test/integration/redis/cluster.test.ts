import { describe, expect, it, jest } from '@jest/globals'
import { createBackend } from '../../../backends/redis/index.js'
import { createBroker } from '../../../brokers/redis/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { jsonCodec } from '../../conformance/index.js'
import { HalfOpenProxy } from '../../support/half-open-proxy.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { consume } from './stage.js'

jest.setTimeout(30_000)

const cluster = serviceUrl('redis-cluster') ?? ''
const never = new AbortController().signal
const withCluster = cluster === '' ? describe.skip : describe

withCluster('a cluster of several nodes', () => {
  it('takes messages and results under prefixes of their own, whichever node has them', async () => {
    const url = parseConnectionUrl(cluster)
    for (let round = 0; round < 8; round += 1) {
      const broker = guardBroker(
        createBroker(url, { transportOptions: { global_keyprefix: `${randomName('broker')}:` } }),
      )
      const transportOptions = { global_keyprefix: `${randomName('backend')}:` }
      const backend = createBackend(url, { codec: jsonCodec, transportOptions })
      await Promise.all([broker.connect(never), backend.connect(never)])
      const consumer = await consume(broker, { results: backend.oneStep })
      const record = { taskId: 'x', state: 'SUCCESS', result: round, children: [] }

      await broker.publish([outgoing('celery', 'hello')])
      const claimed = await take(consumer, 1)
      expect(textsOf(claimed)).toEqual(['hello'])
      await backend.store([record], { ttlMs: 60_000 })
      expect(await consumer.ack(claimed)).toEqual([])
      expect((await backend.load(['x'])).get('x')?.result).toBe(round)

      await Promise.all([broker.close(), backend.close()])
    }
  })

  it('is reached though a node that is named first says nothing', async () => {
    const { hosts } = parseConnectionUrl(cluster)
    await using silent = await HalfOpenProxy.open(hosts[0]?.port ?? 0)
    silent.fallSilent()
    const url = cluster.replace('//', `//127.0.0.1:${String(silent.port)},`)
    const broker = guardBroker(createBroker(parseConnectionUrl(`${url}?socket_connect_timeout=1`), {}))

    await broker.connect(never)
    expect(await broker.depth(randomName('queue'))).toBe(0)
    await broker.close()
  })
})
