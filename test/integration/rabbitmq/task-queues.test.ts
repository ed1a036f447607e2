import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { connect, type ChannelModel } from 'amqplib'
import { Lovage, type CallableTask } from '../../../src/index.js'
import type { QueueSetting } from '../../../src/config/routing-settings.js'
import { startWorker } from '../../../src/testing/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

const server = serviceUrl('rabbitmq') ?? ''
const withServer = server === '' ? describe.skip : describe

interface Program {
  readonly app: Lovage
  readonly add: CallableTask<[x: number, y: number], number>
}

withServer('taskQueues on RabbitMQ', () => {
  const opened: (() => Promise<unknown>)[] = []

  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close().catch(() => undefined)
  })

  function program(queue: QueueSetting): Program {
    const app = new Lovage('queues', {
      broker: server,
      backend: 'rpc://',
      taskDefaultQueue: queue.name,
      taskQueues: [queue],
      taskPublishRetry: false,
    })
    opened.push(() => app.close())
    return { app, add: app.task('queues.add', (x: number, y: number) => x + y) }
  }

  async function raw(): Promise<ChannelModel> {
    const connection = await connect(server)
    connection.on('error', () => undefined)
    opened.push(() => connection.close())
    return connection
  }

  /** What the server says to a declaration: nothing, or a reply code. */
  async function declared(name: string, options: object): Promise<number | undefined> {
    const channel = await (await raw()).createChannel()
    channel.on('error', () => undefined)
    return channel.assertQueue(name, options).then(
      () => undefined,
      (error: unknown) => (error instanceof Error && 'code' in error ? Number(error.code) : Number.NaN),
    )
  }

  async function isThere(name: string): Promise<boolean> {
    const channel = await (await raw()).createChannel()
    channel.on('error', () => undefined)
    return channel.checkQueue(name).then(
      () => true,
      (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 404),
    )
  }

  async function gone(name: string): Promise<boolean> {
    for (const end = performance.now() + 10_000; performance.now() < end; await sleep(20))
      if (!(await isThere(name))) return true
    return false
  }

  it('has a queue that deletes itself: it lasts while its worker is idle, and goes with it', async () => {
    const name = randomName('auto')
    const working = program({ name, autoDelete: true })
    const worker = await startWorker(working.app)
    const { add } = program({ name, autoDelete: true })

    expect(await (await add.delay(1, 2)).get(20)).toBe(3)
    // Longer than a delivery may lie unasked for.
    await sleep(600)
    expect(await (await add.delay(3, 4)).get(20)).toBe(7)
    expect(await declared(name, { autoDelete: false })).toBe(406)
    await worker.stop()

    expect(await gone(name)).toBe(true)
  })

  it('has a queue of one worker alone: others send to it, none takes from it, and it goes with its connection', async () => {
    const name = randomName('own')
    const working = program({ name, exclusive: true })
    const worker = await startWorker(working.app)
    const caller = program({ name, exclusive: true })

    expect(await (await caller.add.delay(1, 2)).get(20)).toBe(3)
    expect(await declared(name, { exclusive: true })).toBe(405)
    const rival = await internalsOf(program({ name, exclusive: true }).app).openBroker()
    opened.push(() => rival.close())
    await rival.declare({ name, lifetime: 'durable', exclusive: true, bindings: [] })
    await expect(rival.consume([name], { credit: 1, leaseMs: 30_000 })).rejects.toMatchObject({
      code: 'LOVAGE_BROKER',
    })
    await worker.stop()
    await working.app.close()

    expect(await gone(name)).toBe(true)
    await expect(caller.add.delay(1, 2)).rejects.toMatchObject({ code: 'LOVAGE_PUBLISH' })
  })

  it('leaves a queue that it is not to declare as it is', async () => {
    const name = randomName('theirs')
    const channel = await (await raw()).createChannel()
    await channel.assertQueue(name, { durable: true, arguments: { 'x-max-length': 7 } })
    const { app, add } = program({ name, noDeclare: true })
    const worker = await startWorker(app)

    expect(await (await add.delay(1, 2)).get(20)).toBe(3)

    await worker.stop()
    await channel.deleteQueue(name)
  })

  it('declares the exchange as asked, and sends what need not survive a restart', async () => {
    const [name, exchange, lost] = [randomName('own'), randomName('own'), randomName('lost')]
    const channel = await (await raw()).createChannel()
    await channel.assertExchange(lost, 'fanout', { durable: false })
    const exchangeArguments = { 'alternate-exchange': lost }
    const { add } = program({ name, exchange, exchangeAutoDelete: true, exchangeArguments, deliveryMode: 1 })

    await add.delay(1, 2)

    const message = await channel.get(name, { noAck: true })
    expect(message !== false && message.properties.deliveryMode).toBe(1)
    await channel.assertExchange(exchange, 'direct', {
      durable: true,
      autoDelete: true,
      arguments: exchangeArguments,
    })
    await channel.deleteQueue(name)
    await expect((await (await raw()).createChannel()).checkExchange(exchange)).rejects.toMatchObject({
      code: 404,
    })
    await channel.deleteExchange(lost)
  })

  it('declares the arguments given, and what expires or is too much leaves by the dead-letter exchange', async () => {
    const [name, dead] = [randomName('limited'), randomName('dead')]
    const channel = await (await raw()).createChannel()
    await channel.assertExchange(dead, 'fanout', { durable: false })
    await channel.assertQueue(dead, { durable: false, exclusive: true })
    await channel.bindQueue(dead, dead, '')
    const queueArguments = {
      'x-message-ttl': 1_500,
      'x-max-length': 1,
      'x-dead-letter-exchange': dead,
      'x-expires': 60_000,
    }
    const { add } = program({ name, queueArguments })

    const [tooMuch, expired] = [await add.delay(1, 1), await add.delay(2, 2)]
    const ids: unknown[] = []
    for (const end = performance.now() + 20_000; ids.length < 2 && performance.now() < end; await sleep(20)) {
      const message = await channel.get(dead, { noAck: true })
      if (message !== false) ids.push(message.properties.correlationId)
    }

    expect(ids).toEqual([tooMuch.id, expired.id])
    expect(await declared(name, { arguments: queueArguments })).toBeUndefined()
    expect(await declared(name, { arguments: { ...queueArguments, 'x-max-length': 2 } })).toBe(406)
    await channel.deleteExchange(dead)
    await channel.deleteQueue(name)
  })
})
