import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { connect, type Channel, type ChannelModel, type GetMessage } from 'amqplib'
import { eventually } from '../../conformance/time.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { Lovage } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { node, projectRoot } from '../../support/child.js'
import { HalfOpenProxy } from '../../support/half-open-proxy.js'
import { serviceUrl } from '../../support/service-url.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

const server = serviceUrl('rabbitmq') ?? ''
const withServer = server === '' ? describe.skip : describe

withServer('on RabbitMQ the option', () => {
  let name: string
  let raw: ChannelModel
  let channel: Channel
  const opened: { close(): Promise<void> }[] = []

  beforeEach(async () => {
    name = `options-${randomUUID()}`
    raw = await connect(server)
    channel = await raw.createChannel()
  })

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close().catch(() => undefined)
    const cleaner = await raw.createChannel()
    await cleaner.deleteQueue(name)
    await cleaner.deleteExchange(name)
    await raw.close()
  })

  function appWith(settings: ConfigInput): Lovage {
    const app = new Lovage('options', { broker: server, backend: false, ...settings })
    opened.push(app)
    return app
  }

  async function declare(app: Lovage): Promise<void> {
    const broker = await internalsOf(app).broker()
    await broker.declare(internalsOf(app).queueSpec(name))
  }

  /** The message in a queue, which is taken out. */
  async function taken(queue = name): Promise<GetMessage> {
    const message = await channel.get(queue, { noAck: true })
    if (message === false) throw new RangeError(`nothing is in ${queue}`)
    return message
  }

  /** The server compares types where something is declared again; a refusal closes the channel. */
  async function accepts(declare: (on: Channel) => Promise<unknown>): Promise<boolean> {
    const own = await raw.createChannel()
    own.on('error', () => undefined)
    return declare(own).then(
      () => true,
      () => false,
    )
  }

  const queueOf = async (type: string): Promise<boolean> =>
    accepts((on) => on.assertQueue(name, { durable: true, arguments: { 'x-queue-type': type } }))

  it.each(['quorum', 'classic'] as const)('taskDefaultQueueType makes the default queue %s', async (type) => {
    await appWith({ taskDefaultQueue: name, taskDefaultQueueType: type }).sendTask('any')

    const other = type === 'quorum' ? 'classic' : 'quorum'
    expect([await queueOf(type), await queueOf(other)]).toEqual([true, false])
  })

  it('taskCreateMissingQueueType makes a missing queue quorum', async () => {
    await appWith({ taskCreateMissingQueueType: 'quorum' }).sendTask('any', { queue: name })

    expect([await queueOf('quorum'), await queueOf('classic')]).toEqual([true, false])
  })

  it('taskCreateMissingQueueExchangeType makes the exchange of a missing queue', async () => {
    await appWith({ taskCreateMissingQueueExchangeType: 'topic' }).sendTask('any', { queue: name })

    expect(await accepts((on) => on.assertExchange(name, 'topic', { durable: true }))).toBe(true)
    expect(await taken()).toMatchObject({ fields: { exchange: name, routingKey: name } })
  })

  it.each([
    ['transient', 1],
    ['persistent', 2],
  ] as const)('taskDefaultDeliveryMode %s is on the wire', async (mode, number) => {
    await appWith({ taskDefaultQueue: name, taskDefaultDeliveryMode: mode }).sendTask('any')

    expect((await taken()).properties.deliveryMode).toBe(number)
  })

  it('taskDefaultExchange, its type and taskDefaultRoutingKey lead to the default queue', async () => {
    const app = appWith({
      taskDefaultQueue: name,
      taskDefaultExchange: name,
      taskDefaultExchangeType: 'topic',
      taskDefaultRoutingKey: 'orders.default',
    })

    await app.sendTask('any')

    expect(await accepts((on) => on.assertExchange(name, 'topic', { durable: true }))).toBe(true)
    expect(await taken()).toMatchObject({ fields: { exchange: name, routingKey: 'orders.default' } })
  })

  it('taskQueues binds a queue by all of its bindings', async () => {
    const bindings = ['eu.#', 'us.#'].map((routingKey) => ({
      exchange: name,
      exchangeType: 'topic' as const,
      routingKey,
    }))
    await declare(appWith({ taskQueues: [{ name, bindings }] }))

    for (const key of ['eu.one', 'us.two', 'asia.three']) channel.publish(name, key, Buffer.from(key))

    const keys = [(await taken()).fields.routingKey, (await taken()).fields.routingKey]
    expect(keys).toEqual(['eu.one', 'us.two'])
    expect(await channel.get(name)).toBe(false)
  })

  it('taskQueues makes a queue that is not durable', async () => {
    await declare(appWith({ taskQueues: [{ name, durable: false }] }))

    expect(await accepts((on) => on.assertQueue(name, { durable: true }))).toBe(false)
    expect(await accepts((on) => on.assertQueue(name, { durable: false }))).toBe(true)
  })

  it('--exchange and --routing-key of lovage call lead there', async () => {
    await channel.assertExchange(name, 'topic')
    await channel.assertQueue(name)
    await channel.bindQueue(name, name, 'called.#')

    const cli = join(projectRoot, 'dist/src/cli/bin.js')
    const call = ['-b', server, 'call', 'any', '--exchange', name, '--routing-key', 'called.here']
    const exit = await node(cli, call).exited

    expect(exit).toMatchObject({ code: 0 })
    expect(await taken()).toMatchObject({ fields: { exchange: name, routingKey: 'called.here' } })
  })

  it.each([false, true])(
    'brokerConnectionRetry %s decides what a lost connection is',
    async (brokerConnectionRetry) => {
      await using proxy = await HalfOpenProxy.open(Number(new URL(server).port))
      const url = new URL(server)
      url.port = String(proxy.port)
      const app = appWith({ broker: url.href, taskDefaultQueue: name, brokerConnectionRetry })
      const worker = new Worker(app, { concurrency: 1 })
      await worker.start()

      proxy.cut()
      await eventually(() => !worker.status.isClaiming, 20_000)

      if (brokerConnectionRetry) {
        await eventually(() => worker.status.isClaiming, 20_000)
        expect(await worker.stop()).toMatchObject({ reason: 'stopped' })
      } else {
        expect(await worker.stopped).toMatchObject({
          reason: 'failed',
          error: { code: 'LOVAGE_BROKER_CONNECTION' },
        })
      }
    },
  )

  it.each([
    [true, 2],
    [false, 0],
  ])(
    'workerDisablePrefetch %s leaves %s of two messages behind a long task to others',
    async (isDisabled, left) => {
      const app = appWith({
        taskDefaultQueue: name,
        workerDisablePrefetch: isDisabled,
        workerPrefetchMultiplier: 100,
        readAhead: { seconds: 60 },
      })
      let end = (): void => undefined
      let isHeld = false
      const quick = app.task('options.quick', () => 1)
      const hold = app.task('options.hold', async () => {
        isHeld = true
        await new Promise<void>((resolve) => (end = resolve))
      })
      const worker = new Worker(app, { concurrency: 1 })
      await worker.start()
      for (let warm = 0; warm < 20; warm += 1) await quick.delay()
      await eventually(() => worker.status.running === 0 && worker.status.buffered === 0, 20_000)
      await hold.delay()
      await eventually(() => isHeld, 20_000)

      await quick.delay()
      await quick.delay()

      if (left === 0) await eventually(() => worker.status.buffered === 2, 20_000)
      expect([worker.status.buffered, (await channel.checkQueue(name)).messageCount]).toEqual([
        2 - left,
        left,
      ])
      end()
      await worker.stop()
    },
  )
})
