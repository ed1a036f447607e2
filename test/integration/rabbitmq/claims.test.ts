import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { connect } from 'amqplib'
import { RabbitConsumer } from '../../../brokers/rabbitmq/consumer.js'
import { createBroker } from '../../../brokers/rabbitmq/index.js'
import { RabbitConnection } from '../../../brokers/rabbitmq/connection.js'
import { LongClaims, type LongClaimsParts } from '../../../brokers/rabbitmq/long-claims.js'
import { Returner } from '../../../brokers/rabbitmq/returner.js'
import { readSettings } from '../../../brokers/rabbitmq/settings.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker, Consumer, Delivery, Outgoing } from '../../../src/broker/contract.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { outgoing } from '../../support/messages.js'

jest.setTimeout(60_000)

const server = serviceUrl('rabbitmq') ?? ''
const never = new AbortController().signal
const withServer = server === '' ? describe.skip : describe

withServer('claims in RabbitMQ', () => {
  let broker: Broker
  let queue: string
  const opened: { close(): Promise<void> }[] = []

  beforeEach(async () => {
    queue = randomName('queue')
    broker = await open()
    await declare(queue)
  })

  afterEach(async () => {
    await broker.delete(queue).catch(() => undefined)
    for (const one of opened.splice(0)) await one.close().catch(() => undefined)
  })

  async function open(): Promise<Broker> {
    const made = guardBroker(createBroker(parseConnectionUrl(server), {}))
    opened.push(made)
    await made.connect(never)
    return made
  }

  function declare(name: string, from = broker): Promise<void> {
    return from.declare({ name, lifetime: 'durable', bindings: [] })
  }

  async function take(consumer: Consumer): Promise<string | undefined> {
    const [delivery] = await consumer.fetch(1, { waitMs: 10_000, signal: never })
    return delivery === undefined ? undefined : Buffer.from(delivery.message.body).toString()
  }

  async function consumerOn(
    connection: RabbitConnection,
    publish: (batch: readonly Outgoing[]) => Promise<void>,
    consumerTimeoutMs = 0,
  ): Promise<RabbitConsumer> {
    return new RabbitConsumer({
      connection,
      channel: await connection.channel(),
      queues: [queue],
      options: { credit: 10, leaseMs: 30_000 },
      returner: new Returner({ publish }),
      depth: (name) => broker.depth(name),
      run: async (work) => work(await connection.channel()),
      consumerTimeoutMs,
      keepsConsuming: false,
      closed: () => undefined,
    })
  }

  it('on other queues are given up when one queue is deleted', async () => {
    const gone = randomName('gone')
    await declare(gone)
    const consumer = await broker.consume([gone, queue], { credit: 10, leaseMs: 30_000 })
    await broker.publish([outgoing(queue, 'a')])
    expect(await take(consumer)).toBe('a')
    await broker.delete(gone)
    await expect(consumer.fetch(1, { waitMs: 10_000, signal: never })).rejects.toThrow(/was deleted/)
    await broker.publish([outgoing(queue, 'b')])

    const next = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
    expect([await take(next), await take(next)].sort()).toEqual(['a', 'b'])
  })

  it('that are on their way back when the consumer is closed go back once', async () => {
    await broker.publish([outgoing(queue, 'a')])
    const connection = await RabbitConnection.open(readSettings(parseConnectionUrl(server), {}), never)
    opened.push(connection)
    let goOn: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const publish = async (batch: readonly Outgoing[]): Promise<void> => {
      await gate
      await broker.publish(batch)
    }
    const consumer = await consumerOn(connection, publish)
    const [delivery] = await consumer.fetch(1, { waitMs: 10_000, signal: never })
    if (delivery === undefined) throw new RangeError('nothing came')

    const returned = consumer.handBack([{ delivery, delayMs: 0, unspent: true }])
    const closed = consumer.close()
    goOn()
    await Promise.all([returned, closed])

    expect(await broker.depth(queue)).toBe(1)
  })

  it('of long tasks that are being moved when the consumer is closed go back once', async () => {
    await broker.publish([outgoing(queue, 'a')])
    const connection = await RabbitConnection.open(readSettings(parseConnectionUrl(server), {}), never)
    opened.push(connection)
    const held: string[] = []
    let moves: () => void = () => undefined
    const isMoving = new Promise<void>((resolve) => (moves = resolve))
    let goOn: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const publish = async (batch: readonly Outgoing[]): Promise<void> => {
      const places = batch.map(({ route }) => route.routingKey).filter((name) => name !== queue)
      if (places.length > 0) {
        held.push(...places)
        moves()
        await gate
      }
      await broker.publish(batch)
    }
    const consumer = await consumerOn(connection, publish, 800)
    const taken = await consumer.fetch(1, { waitMs: 10_000, signal: never })
    await isMoving

    const closed = consumer.close()
    const first = await Promise.race([closed.then(() => 'closed'), sleep(500, 'moved')])
    goOn()
    await closed

    expect([taken.length, first, held.length]).toEqual([1, 'moved', 1])
    expect([await broker.depth(queue), await broker.depth(held[0] ?? '')]).toEqual([1, 0])
  })

  it('of long tasks leave no copy when the server does not confirm that it has one', async () => {
    await broker.publish([outgoing(queue, 'a')])
    const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
    const [delivery] = await consumer.fetch(1, { waitMs: 10_000, signal: never })
    if (delivery === undefined) throw new RangeError('nothing came')
    const connection = await RabbitConnection.open(readSettings(parseConnectionUrl(server), {}), never)
    opened.push(connection)
    const held: string[] = []
    const publish = async (batch: readonly Outgoing[]): Promise<void> => {
      held.push(...batch.map(({ route }) => route.routingKey))
      await broker.publish(batch)
      throw new BrokerConnectionError('no answer')
    }
    const run: LongClaimsParts['run'] = async (work) => work(await connection.channel())
    const claims = new LongClaims({ keepMs: 60_000, publisher: { publish }, run })

    await expect(claims.take(delivery)).rejects.toThrow('no answer')

    expect(held).toHaveLength(1)
    expect(await broker.depth(held[0] ?? '')).toBe(0)
    expect(claims.has(delivery.tag)).toBe(false)
  })

  it('of long tasks end all at once, and each though the server refuses to end another', async () => {
    await broker.publish([outgoing(queue, 'a'), outgoing(queue, 'b')])
    const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
    const deliveries: Delivery[] = []
    while (deliveries.length < 2)
      deliveries.push(...(await consumer.fetch(2, { waitMs: 10_000, signal: never })))
    const connection = await RabbitConnection.open(readSettings(parseConnectionUrl(server), {}), never)
    opened.push(connection)
    const held: string[] = []
    const publish = async (batch: readonly Outgoing[]): Promise<void> => {
      held.push(...batch.map(({ route }) => route.routingKey))
      await broker.publish(batch)
    }
    let refusals = 0
    const run: LongClaimsParts['run'] = async (work) => {
      if (refusals > 0) {
        refusals -= 1
        throw new BrokerConnectionError('refused')
      }
      return work(await connection.channel())
    }
    const claims = new LongClaims({ keepMs: 60_000, publisher: { publish }, run })
    for (const delivery of deliveries) await claims.take(delivery)
    refusals = 1

    const released = claims.release(deliveries)
    const left = claims.all
    await expect(released).rejects.toThrow('refused')

    expect(left).toEqual([])
    expect(await Promise.all(held.map((name) => broker.depth(name)))).toEqual([1, 0])
    await broker.delete(held[0] ?? '')
  })

  it('of delayed messages come though the queue was deleted and declared again after the first', async () => {
    const sender = await open()
    await sender.publish([outgoing(queue, 'first', { delayMs: 10 })])
    const raw = await connect(server)
    await (await raw.createChannel()).deleteQueue(queue)
    await raw.close()
    const worker = await open()
    await declare(queue, worker)
    const consumer = await worker.consume([queue], { credit: 10, leaseMs: 30_000 })

    await sender.publish([outgoing(queue, 'second', { delayMs: 10 })])

    let came = await take(consumer)
    if (came === 'first') came = await take(consumer)
    expect(came).toBe('second')
  })
})
