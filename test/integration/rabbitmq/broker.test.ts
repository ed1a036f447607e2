import { setTimeout as sleep } from 'node:timers/promises'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { connect, type Channel } from 'amqplib'
import { eventually } from '../../conformance/time.js'
import { Delays } from '../../../brokers/rabbitmq/delays.js'
import { createBroker } from '../../../brokers/rabbitmq/index.js'
import { RabbitConnection } from '../../../brokers/rabbitmq/connection.js'
import { readSettings } from '../../../brokers/rabbitmq/settings.js'
import { TopologyChannel } from '../../../brokers/rabbitmq/topology-channel.js'
import { Topology } from '../../../brokers/rabbitmq/topology.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker, Consumer, Delivery, QueueSpec } from '../../../src/broker/contract.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { BrokerConnectionError, BrokerError, PublishError } from '../../../src/errors/errors.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { outgoing } from '../../support/messages.js'

jest.setTimeout(60_000)

const server = serviceUrl('rabbitmq') ?? ''
const never = new AbortController().signal
const withServer = server === '' ? describe.skip : describe

withServer('the RabbitMQ broker', () => {
  let broker: Broker
  let queue: string
  const opened: { close(): Promise<void> }[] = []

  beforeEach(async () => {
    queue = randomName('queue')
    broker = await open()
  })

  afterEach(async () => {
    await broker.delete(queue).catch(() => undefined)
    for (const one of opened.splice(0)) await one.close().catch(() => undefined)
  })

  async function open(url = server): Promise<Broker> {
    const made = guardBroker(createBroker(parseConnectionUrl(url), {}))
    opened.push(made)
    await made.connect(never)
    return made
  }

  async function declare(spec: Partial<QueueSpec> = {}): Promise<void> {
    await broker.declare({ name: queue, lifetime: 'durable', bindings: [], ...spec })
  }

  async function withChannel(work: (channel: Channel) => Promise<unknown>): Promise<void> {
    const raw = await connect(server)
    await work(await raw.createChannel())
    await raw.close()
  }

  async function consume(credit = 100): Promise<Consumer> {
    return broker.consume([queue], { credit, leaseMs: 30_000 })
  }

  async function take(consumer: Consumer, waitMs = 5_000): Promise<Delivery | undefined> {
    const [delivery] = await consumer.fetch(1, { waitMs, signal: never })
    return delivery
  }

  it('reads 64-bit integers as Python tags them, and keeps its connection', async () => {
    await declare()
    const raw = await connect(server)
    const stream: unknown = Reflect.get(raw.connection, 'stream')
    if (!(stream instanceof Duplex)) throw new TypeError('the library has no stream')
    const write = stream.write.bind(stream)
    const plain = Buffer.from('6c000001000000000b', 'hex')
    const tagged = Buffer.from('4c000001000000000b', 'hex')
    stream.write = (chunk: Buffer): boolean => {
      const at = chunk.indexOf(plain)
      if (at >= 0) tagged.copy(chunk, at)
      return write(chunk)
    }
    const channel = await raw.createConfirmChannel()
    const wide = { '!': 'int64', value: 2 ** 40 + 11 }
    channel.sendToQueue(queue, Buffer.from('x'), {
      contentType: 'text/plain',
      headers: { before: [wide], n: 1 },
    })
    await channel.waitForConfirms()
    await raw.close()

    const delivery = await take(await consume())

    expect(delivery?.message.headers).toEqual({ before: [2 ** 40 + 11], n: 1 })
  })

  it('names the messages that a full queue refuses', async () => {
    await declare({ arguments: { 'x-max-length': 2, 'x-overflow': 'reject-publish' } })

    const publishing = broker.publish(['a', 'b', 'c'].map((text) => outgoing(queue, text)))

    await expect(publishing).rejects.toMatchObject({ code: 'LOVAGE_PUBLISH', indexes: [2] })
    expect(await broker.depth(queue)).toBe(2)
  })

  it('refuses a queue that exists with other arguments, and goes on', async () => {
    await declare({ arguments: { 'x-max-priority': 5 } })

    await expect(declare()).rejects.toMatchObject({ code: 'LOVAGE_BROKER', retryable: false })

    await broker.publish([outgoing(queue, 'a')])
    expect(await broker.depth(queue)).toBe(1)
  })

  it('says for good that a password is wrong or a virtual host is missing', async () => {
    const wrong = server.replace('guest:guest', 'guest:wrong')
    const missing = server.replace(/\/+$/, '/missing')

    await expect(open(wrong)).rejects.toThrow(BrokerError)
    await expect(open(wrong)).rejects.not.toThrow(BrokerConnectionError)
    await expect(open(missing)).rejects.toMatchObject({ code: 'LOVAGE_BROKER' })
  })

  it('has confirmed what was published when it is closed', async () => {
    await declare()
    const other = await open()
    const publishing = other.publish(
      Array.from({ length: 900 }, (_, index) => outgoing(queue, String(index))),
    )
    await sleep(1)
    await Promise.all([publishing, other.close()])

    expect(await broker.depth(queue)).toBe(900)
  })

  it('ends its consumer when the queue is deleted', async () => {
    await declare()
    const consumer = await consume()
    const ended = expect(consumer.fetch(1, { waitMs: 20_000, signal: never })).rejects
    const fetching = ended.toThrow(BrokerConnectionError)
    await sleep(100)

    await broker.delete(queue)

    await fetching
  })

  it('binds the queues of a topic exchange once for its delayed messages, and anew after a declaration', async () => {
    const exchange = randomName('topic')
    const link = await RabbitConnection.open(readSettings(parseConnectionUrl(server), {}), never)
    opened.push(link)
    const channel = new TopologyChannel(link)
    let declarations = 0
    const counted: Pick<TopologyChannel, 'run'> = {
      run: (work) => {
        declarations += 1
        return channel.run(work)
      },
    }
    const topology = new Topology(counted, new Delays(channel, 'classic'))
    const binding = { exchange, type: 'topic', routingKey: 'shop.*' } as const
    const spec: QueueSpec = { name: queue, lifetime: 'durable', bindings: [binding] }
    const counts: number[] = []
    const delay = async (): Promise<void> => {
      const before = declarations
      await topology.receiveDelayed(exchange)
      counts.push(declarations - before)
    }

    await topology.declare(spec)
    for (let time = 0; time < 3; time += 1) await delay()
    await topology.declare(spec)
    for (let time = 0; time < 2; time += 1) await delay()
    await withChannel((raw) => raw.deleteExchange(exchange))

    expect(counts).toEqual([1, 0, 0, 1, 0])
  })

  it.each(['direct', 'topic', 'fanout', 'headers'] as const)('delays through a %s exchange', async (type) => {
    const exchange = randomName('exchange')
    await declare({ bindings: [{ exchange, type, routingKey: 'orders.eu' }] })

    await broker.publish([
      outgoing(queue, 'later', { route: { exchange, routingKey: 'orders.eu' }, delayMs: 1_000 }),
    ])

    expect(await broker.depth(queue)).toBe(0)
    const delivery = await take(await consume(), 10_000)
    expect(delivery?.due).toBe(true)
  })

  it('does not confirm a delayed message whose queue does not exist', async () => {
    await expect(broker.publish([outgoing(queue, 'lost', { delayMs: 5_000 })])).rejects.toThrow(PublishError)
  })

  it('rounds a delay up to whole seconds, never down', async () => {
    await declare()
    const consumer = await consume()
    const sinceMs = performance.now()
    await broker.publish([outgoing(queue, 'later', { delayMs: 1_500 })])

    const delivery = await take(consumer, 10_000)

    expect(delivery?.due).toBe(true)
    expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(1_500)
  })

  it('sends persistent messages, and transient ones only where they are asked for', async () => {
    await declare()
    const { message, route } = outgoing(queue, 'transient')
    await broker.publish([
      outgoing(queue, 'persistent'),
      { route, message: { ...message, properties: { persistent: false } } },
    ])

    const modes: unknown[] = []
    await withChannel(async (channel) => {
      for (const _message of [1, 2]) {
        const got = await channel.get(queue, { noAck: true })
        modes.push(got !== false && got.properties.deliveryMode)
      }
    })

    expect(modes).toEqual([2, 1])
  })

  it('parks again a message that is not due when its longest delay is over', async () => {
    await declare()
    const farMs = Date.now() + 400 * 365 * 86_400_000
    await broker.publish([outgoing(queue, 'far', { notBeforeMs: farMs })])
    const raw = await connect(server)
    const channel = await raw.createConfirmChannel()
    const headers = { 'lovage-not-before': { '!': 'int64', value: Date.now() + 1_500 } }
    channel.sendToQueue(queue, Buffer.from('early'), { contentType: 'text/plain', headers })
    await channel.waitForConfirms()
    await raw.close()
    const consumer = await consume()

    expect(await take(consumer, 700)).toBeUndefined()
    const delivery = await take(consumer, 10_000)
    expect(Buffer.from(delivery?.message.body ?? []).toString()).toBe('early')
    expect(delivery).toMatchObject({ deliveryCount: 1, due: true })
  })

  it('loses the messages to an exchange that is gone, and none beside them', async () => {
    const exchange = randomName('exchange')
    const binding = { exchange, type: 'topic', routingKey: '#' } as const
    await declare({ bindings: [binding] })
    const routed = outgoing(queue, 'routed', { route: { exchange, routingKey: 'a' } })
    await broker.publish([routed])
    await withChannel((channel) => channel.deleteExchange(exchange))

    const sent = await Promise.allSettled([
      ...Array.from({ length: 5 }, () => broker.publish([outgoing(queue, 'plain')])),
      broker.publish([routed]),
      ...Array.from({ length: 5 }, () => broker.publish([outgoing(queue, 'plain')])),
    ])
    const errors = sent.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
    expect(sent[5]).toMatchObject({ status: 'rejected', reason: { retryable: false } })
    expect(errors.filter((error) => error instanceof PublishError && !error.retryable)).toHaveLength(1)
    // It is known now, and does not end the channel again.
    await expect(broker.publish([routed, outgoing(queue, 'beside')])).rejects.toMatchObject({ indexes: [0] })

    await declare({ bindings: [binding] })
    await broker.publish([routed])
    const depth = await broker.depth(queue)
    expect(depth).toBeGreaterThanOrEqual(sent.length - errors.length + 3)
  })

  it('refuses what an exchange sends nowhere', async () => {
    const exchange = randomName('exchange')
    await declare({ bindings: [{ exchange, type: 'direct', routingKey: 'known' }] })

    const known = outgoing(queue, 'a', { route: { exchange, routingKey: 'known' } })
    const unknown = outgoing(queue, 'a', { route: { exchange, routingKey: 'unknown' } })

    await expect(broker.publish([known, unknown, known])).rejects.toMatchObject({
      code: 'LOVAGE_PUBLISH',
      indexes: [1],
      retryable: false,
    })
    expect(await broker.depth(queue)).toBe(2)
  })

  it('declares queues with the arguments given, exchanges of their type, and bindings', async () => {
    const exchanges = (['direct', 'topic', 'fanout', 'headers'] as const).map((type) => ({
      exchange: randomName(type),
      type,
      routingKey: 'orders.eu',
    }))
    const dead = randomName('dead')
    const queueArguments = {
      'x-message-ttl': 100,
      'x-expires': 600_000,
      'x-max-length': 40_000,
      'x-max-priority': 9,
      'x-queue-mode': 'lazy',
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
    }
    await broker.declare({ name: dead, lifetime: 'durable', bindings: [] })
    await declare({ bindings: exchanges, arguments: queueArguments })

    // The server refuses to declare again what is declared otherwise.
    await withChannel(async (channel) => {
      await channel.assertQueue(queue, { durable: true, arguments: queueArguments })
      for (const { exchange, type } of exchanges)
        await channel.assertExchange(exchange, type, { durable: true })
    })
    for (const { exchange } of exchanges)
      await broker.publish([outgoing(queue, exchange, { route: { exchange, routingKey: 'orders.eu' } })])
    await eventually(async () => (await broker.depth(dead)) >= exchanges.length)
    expect(await broker.depth(dead)).toBe(exchanges.length)
    await broker.delete(dead)
  })

  it('goes on when its queue and with it its consumer are gone', async () => {
    await declare()
    await broker.publish([outgoing(queue, 'a')])
    const consumer = await consume()
    const delivery = await take(consumer)
    if (delivery !== undefined) await consumer.ack([delivery])
    await broker.delete(queue)
    await expect(consumer.fetch(1, { waitMs: 5_000, signal: never })).rejects.toThrow(BrokerConnectionError)
    await expect(broker.publish([outgoing(queue, 'nowhere')])).rejects.toMatchObject({ retryable: false })

    await declare()
    await broker.publish([outgoing(queue, 'b')])
    expect(Buffer.from((await take(await consume()))?.message.body ?? []).toString()).toBe('b')
  })

  it('sends every frame at once: Nagle is off on all of its connections', async () => {
    const setNoDelay = jest.spyOn(Socket.prototype, 'setNoDelay')
    try {
      const other = await open()
      await declare()
      await (await other.consume([queue], { credit: 1, leaseMs: 30_000 })).close()
      expect(setNoDelay.mock.calls).toEqual([[true], [true]])
    } finally {
      setNoDelay.mockRestore()
    }
  })

  it('leaves work that it does not fetch to others', async () => {
    await declare()
    const busy = await consume(1_000)
    await broker.publish(Array.from({ length: 20 }, (_, index) => outgoing(queue, String(index))))
    const first = await busy.fetch(10, { waitMs: 5_000, signal: never })
    await busy.ack(first)
    const held = await take(busy)
    expect(held).toBeDefined()
    const idle = await (await open()).consume([queue], { credit: 100, leaseMs: 30_000 })

    const seen: Delivery[] = []
    const endMs = performance.now() + 5_000
    while (seen.length < 20 - first.length - 1 && performance.now() < endMs)
      seen.push(...(await idle.fetch(20, { waitMs: 500, signal: never })))

    expect(seen.length).toBe(20 - first.length - 1)
    expect(seen.every((delivery) => delivery.deliveryCount === 1)).toBe(true)
  })
})
