import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Lovage } from '../../src/index.js'
import { Worker } from '../../src/worker/index.js'
import { canStartRabbitmq, RabbitmqServer } from '../support/rabbitmq-server.js'
import { internalsOf } from '../../src/util/internals.js'

jest.setTimeout(90_000)

const describeHere = canStartRabbitmq() ? describe : describe.skip

describeHere('RabbitMQ with limits', () => {
  let server: RabbitmqServer
  let app: Lovage
  const ran: string[] = []

  beforeAll(async () => {
    server = await RabbitmqServer.start('max_message_size = 100000')
    await server.ctl('add_user', 'limited', 'secret')
    await server.ctl('set_permissions', 'limited', '^$', '.*', '.*')
    app = new Lovage('limits', { broker: server.url, backend: false })
  })

  afterAll(async () => {
    await app?.close()
    await server?.[Symbol.asyncDispose]()
  })

  function limited(queue: string): {
    readonly app: Lovage
    readonly note: (text: string, countdown?: number) => Promise<unknown>
  } {
    const own = new Lovage('limits', {
      broker: server.url.replace('guest:guest', 'limited:secret'),
      backend: false,
      taskDefaultQueue: queue,
      brokerConnectionRetryOnStartup: false,
    })
    const task = own.task('limits.note', (text: string) => {
      ran.push(text)
    })
    return {
      app: own,
      note: async (text, countdown) =>
        task.applyAsync([text], countdown === undefined ? {} : { countdown: { milliseconds: countdown } }),
    }
  }

  it('serves a user without the right to configure where the queue exists, delays included', async () => {
    await app.sendTask('limits.note', { args: ['sent by another'], queue: 'shared' })
    await app.sendTask('limits.note', { args: ['late by another'], queue: 'shared', countdown: 1 })
    const { app: own, note } = limited('shared')
    const worker = new Worker(own, { concurrency: 1 })
    await worker.start()

    await note('at once')
    await note('late', 1_000)

    const all = ['at once', 'late', 'late by another', 'sent by another']
    for (const endMs = performance.now() + 20_000; ran.length < 4 && performance.now() < endMs;)
      await sleep(20)
    await worker.stop()
    await own.close()
    expect(ran.toSorted()).toEqual(all)
  })

  it('tells that user what it may not declare where the queue is missing', async () => {
    const { app: own, note } = limited('missing')

    await expect(note('never')).rejects.toThrow(/ACCESS_REFUSED.*missing/)
    await expect(new Worker(own, { concurrency: 1 }).start()).rejects.toThrow(/ACCESS_REFUSED.*missing/)

    await own.close()
  })

  it('refuses one of 20 messages that is too large, and no other', async () => {
    await app.sendTask('limits.first', { queue: 'sizes' })
    const large = 'x'.repeat(200_000)

    const sent = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, n) =>
        app.sendTask(`limits.${n}`, { queue: 'sizes', args: n === 10 ? [large] : [] }),
      ),
    )

    const refused = sent.flatMap((one, n) => (one.status === 'rejected' ? [[n, String(one.reason)]] : []))
    expect(refused).toEqual([[10, expect.stringMatching(/message size \d+ is larger/)]])
  })

  it.each([7, 0])(
    'asks of the server the heartbeat that brokerHeartbeat says: %i',
    async (brokerHeartbeat) => {
      const own = new Lovage('limits', {
        broker: server.url.replace('guest:guest', 'limited:secret'),
        backend: false,
        brokerHeartbeat,
      })
      await internalsOf(own).broker()

      const list = await server.ctl('-q', '--no-table-headers', 'list_connections', 'user', 'timeout')
      await own.close()

      expect(list.split('\n').filter((line) => line.startsWith('limited'))).toEqual([
        `limited\t${brokerHeartbeat}`,
      ])
    },
  )

  it.each(['classic', 'quorum'] as const)(
    'brokerNativeDelayedDeliveryQueueType makes the queues of delays %s',
    async (type) => {
      await server.ctl('add_vhost', type)
      await server.ctl('set_permissions', '-p', type, 'guest', '.*', '.*', '.*')
      const own = new Lovage('limits', {
        broker: server.url.replace(/\/\/$/, `/${type}`),
        backend: false,
        brokerNativeDelayedDeliveryQueueType: type,
      })
      await own.sendTask('limits.any', { countdown: 60 })

      const list = await server.ctl('-q', '--no-table-headers', 'list_queues', '-p', type, 'name', 'type')
      await own.close()

      const types = list.split('\n').filter((line) => line.startsWith('celery_delayed_'))
      expect(types).toHaveLength(28)
      expect(new Set(types.map((line) => line.split('\t')[1]))).toEqual(new Set([type]))
    },
  )
})
