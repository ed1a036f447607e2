import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually } from '../../conformance/time.js'
import type { Consumer, Delivery } from '../../../src/broker/contract.js'
import { canStartRedis, RedisServer } from '../../support/redis-server.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { consume, openStage, type RedisStage } from './stage.js'

jest.setTimeout(60_000)

const withOwn = canStartRedis() ? describe : describe.skip

withOwn('an idle consumer on Redis', () => {
  let own: RedisServer
  let admin: Redis
  let stage: RedisStage

  beforeEach(async () => {
    own = await RedisServer.start()
    admin = new Redis(own.url, { connectionName: 'admin' })
    stage = await openStage(own.url)
  })

  afterEach(async () => {
    await stage[Symbol.asyncDispose]()
    admin.disconnect()
    await own[Symbol.asyncDispose]()
  })

  /** The connection that waits in a blocking move, as its line of `CLIENT LIST`. */
  async function mover(): Promise<string | undefined> {
    const list = String(await admin.call('CLIENT', 'LIST'))
    return list.split('\n').find((line) => / flags=\w*b/.test(line) && line.includes('cmd=blmove'))
  }

  /** Fetch one message without an end; resolves when the consumer waits in a move. */
  async function waiting(consumer: Consumer): Promise<{ readonly fetching: Promise<readonly Delivery[]> }> {
    const fetching = consumer.fetch(1, { waitMs: 20_000, signal: new AbortController().signal })
    await eventually(async () => (await mover()) !== undefined)
    return { fetching }
  }

  /** The envelope of a message to another queue, out of whose list it is taken. */
  async function envelopeOf(text: string): Promise<string> {
    await stage.broker.declare({ name: 'aside', lifetime: 'durable', bindings: [] })
    await stage.broker.publish([
      { ...outgoing('celery', text), route: { exchange: '', routingKey: 'aside' } },
    ])
    return (await stage.keys.rpop('aside')) ?? ''
  }

  it('is given a message with the wake-up: it asks for nothing between the push and the message', async () => {
    const envelope = await envelopeOf('woken')
    const consumer = await consume(stage.broker)
    const { fetching } = await waiting(consumer)
    const commands: string[] = []
    const monitor = await admin.monitor()
    monitor.on('monitor', (_time: string, [name = '']: readonly string[], source: string) => {
      if (source !== 'lua') commands.push(name.toLowerCase())
    })

    await stage.keys.lpush('celery', envelope)
    const deliveries = await fetching

    expect(textsOf(deliveries)).toEqual(['woken'])
    // The first thing that it sends records the claim.
    await eventually(() => Promise.resolve(commands.includes('eval')))
    const isNoise = new Set(['info', 'client', 'select'])
    expect(commands.filter((name) => !isNoise.has(name)).slice(0, 2)).toEqual(['lpush', 'eval'])
    expect(await stage.keys.hlen('unacked')).toBe(1)
    expect(await consumer.ack(deliveries)).toEqual([])
    expect(await stage.keys.hlen('unacked')).toBe(0)
    monitor.disconnect()
  })

  it('is told of messages of other priorities and of other queues, too', async () => {
    await stage.broker.declare({ name: 'other', lifetime: 'durable', bindings: [] })
    await stage.broker.declare({ name: 'celery', lifetime: 'durable', bindings: [] })
    const consumer = await stage.broker.consume(['celery', 'other'], { credit: 9, leaseMs: 30_000 })
    const first = await waiting(consumer)
    await stage.broker.publish([outgoing('celery', 'less urgent', { properties: { priority: 9 } })])
    expect(textsOf(await first.fetching)).toEqual(['less urgent'])

    const second = await waiting(consumer)
    await stage.broker.publish([
      { ...outgoing('celery', 'elsewhere'), route: { exchange: '', routingKey: 'other' } },
    ])
    expect(textsOf(await second.fetching)).toEqual(['elsewhere'])
    expect(await consumer.ack([])).toEqual([])
  })

  it('takes nothing more when its credit is taken away, and leaves no move behind when it is closed', async () => {
    const consumer = await consume(stage.broker)
    const { fetching } = await waiting(consumer)
    await consumer.setCredit(0)
    await eventually(async () => (await mover()) === undefined)
    await stage.broker.publish([outgoing('celery', 'kept')])
    expect(await stage.keys.llen('celery')).toBe(1)
    await consumer.setCredit(5)
    expect(textsOf(await fetching)).toEqual(['kept'])

    const { fetching: last } = await waiting(consumer)
    await consumer.close()
    expect(await last).toEqual([])
    expect(await mover()).toBeUndefined()
    // What it had claimed is in its list again, and so is what comes now.
    await stage.broker.publish([outgoing('celery', 'later')])
    expect(await stage.keys.llen('celery')).toBe(2)
    expect(await stage.keys.keys('*moved*')).toEqual([])
  })

  it('has what a move brought again when the answer was lost', async () => {
    const envelope = await envelopeOf('lost answer')
    const consumer = await consume(stage.broker)
    const { fetching } = await waiting(consumer)
    // As if the answer had been on its way when the connection broke.
    await stage.keys.lpush(`_lovage.moved.${consumer.holder ?? ''}`, envelope)
    const id = /^id=(\d+)/.exec((await mover()) ?? '')?.[1] ?? ''
    await admin.call('CLIENT', 'KILL', 'ID', id)

    const deliveries = await fetching
    const taken = deliveries.length > 0 ? deliveries : await take(consumer, 1)
    expect(textsOf(taken)).toEqual(['lost answer'])
    expect(await stage.keys.llen('celery')).toBe(0)
    expect(await consumer.ack(taken)).toEqual([])
    // It waits in a move again.
    await waiting(consumer)
  })

  it('keeps its claim when the connection breaks before the claim is recorded', async () => {
    const envelope = await envelopeOf('busy')
    const consumer = await consume(stage.broker)
    const { fetching } = await waiting(consumer)
    const id = /id=(\d+)(?=.* flags=t)/.exec(String(await admin.call('CLIENT', 'LIST')))?.[1] ?? ''

    await stage.keys.lpush('celery', envelope)
    const deliveries = await fetching
    // As in a body that computes: nothing is sent in this turn of the event loop.
    const port = new URL(own.url).port
    execFileSync('redis-cli', ['-p', port, 'CLIENT', 'KILL', 'ID', id])

    expect(textsOf(deliveries)).toEqual(['busy'])
    await eventually(async () => (await stage.keys.hlen('unacked')) === 1)
    expect(await stage.keys.keys('*_lovage.moved.*')).toEqual([])
    expect(await stage.keys.llen('celery')).toBe(0)
  })

  it('restores, as a spent delivery, what a move brought a holder that died before it was recorded', async () => {
    const envelope = await envelopeOf('of the dead')
    const dead = 'lovage-dead'
    await stage.keys.zadd('_lovage.holders', 1, dead)
    await stage.keys.hset('_lovage.moves', dead, '"celery"')
    await stage.keys.lpush(`_lovage.moved.${dead}`, envelope)

    const consumer = await consume(stage.broker)
    const [delivery] = await take(consumer, 1)
    expect(delivery).toMatchObject({ deliveryCount: 2 })
    expect(textsOf(delivery === undefined ? [] : [delivery])).toEqual(['of the dead'])
    expect(await stage.keys.exists('_lovage.moves', `_lovage.moved.${dead}`)).toBe(0)
    expect(await stage.keys.zscore('_lovage.holders', dead)).toBeNull()
  })
})
