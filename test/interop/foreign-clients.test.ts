import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'amqplib'
import { Redis } from 'ioredis'
import type { Broker } from '../../src/broker/contract.js'
import { listDeadLetters } from '../../src/control/dead-letters.js'
import { currentTask, Lovage } from '../../src/index.js'
import { startWorker, waitForTask } from '../../src/testing/index.js'
import type { Worker } from '../../src/worker/index.js'
import { eventually } from '../conformance/time.js'
import { serviceUrl } from '../support/service-url.js'
import { foreignCalls, type ForeignCall } from '../unit/message/foreign-calls.js'
import { rabbitmqPlace, redisPlace } from './support/place.js'
import { randomName, type InteropPlace } from './support/stage.js'
import { internalsOf } from '../../src/util/internals.js'

/** A store that clients of other languages put their messages on. */
interface ForeignStore {
  readonly name: string
  readonly calls: readonly ForeignCall[]
  readonly place: InteropPlace | undefined
  /** Put the calls into a queue, byte for byte. */
  readonly send: (place: InteropPlace, queue: string, calls: readonly ForeignCall[]) => Promise<ForeignClient>
}

/** Where the clients of a store look for their results; it ends with the test. */
interface ForeignClient extends AsyncDisposable {
  /** The result of one of those that {@link wantsAnswer}. */
  readonly result: (call: ForeignCall) => Promise<unknown>
}

const calls = foreignCalls()
const stores: readonly ForeignStore[] = [
  {
    name: 'Redis',
    calls: calls.filter(({ redis }) => redis !== undefined),
    place: redisPlace(serviceUrl('redis')),
    send: sendByRedis,
  },
  {
    name: 'RabbitMQ',
    calls: calls.filter(({ amqp }) => amqp !== undefined),
    place: rabbitmqPlace(serviceUrl('rabbitmq')),
    send: sendByRabbitmq,
  },
]

for (const store of stores) {
  describe(`recorded messages of foreign clients on ${store.name}`, () => {
    if (store.place === undefined) it.skip(`run where a ${store.name} is`, () => undefined)
    else runOn(store, store.place)
  })
}

function runOn(store: ForeignStore, place: InteropPlace): void {
  const queue = randomName('foreign')
  const runs: { readonly id: string; readonly args: unknown; readonly kwargs: unknown }[] = []
  const understood = store.calls.filter(({ expected }) => expected !== undefined)
  const others = store.calls.filter(({ expected }) => expected === undefined)
  let app: Lovage
  let broker: Broker
  let client: ForeignClient
  let worker: Worker

  beforeAll(async () => {
    app = foreignApp(place, queue)
    app.task(
      'tasks.add',
      (x: number, y: number) => {
        const { id = '', args, kwargs } = currentTask()?.request ?? {}
        runs.push({ id, args, kwargs })
        return x + y
      },
      { params: ['x', 'y'] },
    )
    broker = await internalsOf(app).broker()
    await broker.declare(internalsOf(app).queueSpec(queue))
    client = await store.send(place, queue, store.calls)
    worker = await startWorker(app)
  })

  afterAll(async () => {
    await worker?.stop()
    await client?.[Symbol.asyncDispose]()
    await broker?.delete(queue)
    await broker?.delete(`${queue}.dead`)
    await app?.close()
  })

  it.each(understood.map((call) => [call.name, call] as const))('run: %s', async (_name, call) => {
    const { id, args, kwargs } = call.expected ?? {}

    await waitForTask(app, 'tasks.add', { where: (passage) => passage.id === id })

    expect(runs.filter((run) => run.id === id)).toEqual([{ id, args, kwargs }])
  })

  const answered = understood.filter(wantsAnswer)
  it.each(answered.map((call) => [call.name, call] as const))('are answered: %s', async (_name, call) => {
    const result = await client.result(call)

    expect(result).toMatchObject({ task_id: call.expected?.['id'], status: 'SUCCESS', result: 3 })
  })

  it('are set aside with the reason where they are of another format, and nothing else is', async () => {
    const letters = await eventually(async () => {
      const found = await listDeadLetters(broker, queue)
      return found.length < others.length ? undefined : found
    })

    expect(letters).toMatchObject(
      others.map(() => ({ reason: 'unreadable', detail: expect.stringContaining('no message of Celery') })),
    )
    expect(await broker.depth(queue)).toBe(0)
    expect(runs).toHaveLength(understood.length)
    expect(worker.status).toMatchObject({ state: 'running', isClaiming: true })
  })
}

/** On Redis a client may always look; on RabbitMQ it names the queue that it reads. */
function wantsAnswer({ amqp }: ForeignCall): boolean {
  return amqp === undefined || (amqp.properties.replyTo ?? '') !== ''
}

function foreignApp(place: InteropPlace, queue: string): Lovage {
  return new Lovage('foreign', {
    broker: place.broker,
    backend: place.backend,
    brokerTransportOptions: place.brokerOptions,
    resultBackendTransportOptions: place.backendOptions,
    taskDefaultQueue: queue,
  })
}

/** Every client on Redis reads `celery-task-meta-` and the id. */
async function sendByRedis(
  place: InteropPlace,
  queue: string,
  sent: readonly ForeignCall[],
): Promise<ForeignClient> {
  const redis = new Redis(place.broker)
  const prefix = String(place.brokerOptions['global_keyprefix'])
  await redis.lpush(`${prefix}${queue}`, ...sent.map(({ redis: text = '' }) => text))
  return {
    result: ({ expected }) =>
      eventually(async () => {
        const text = await redis.get(`${prefix}celery-task-meta-${String(expected?.['id'])}`)
        const value: unknown = text === null ? undefined : JSON.parse(text)
        return value
      }),
    [Symbol.asyncDispose]: async () => {
      await redis.quit()
    },
  }
}

/** Those who asked for an answer read the queue that they named. */
async function sendByRabbitmq(
  place: InteropPlace,
  queue: string,
  sent: readonly ForeignCall[],
): Promise<ForeignClient> {
  const connection = await connect(place.broker)
  const channel = await connection.createConfirmChannel()
  const replies = new Map<unknown, unknown>()
  for (const { amqp } of sent) {
    const { body = Buffer.of(), headers, properties } = amqp ?? {}
    const { replyTo = '' } = properties ?? {}
    if (replyTo !== '') {
      await channel.assertQueue(replyTo, { exclusive: true })
      await channel.consume(
        replyTo,
        (reply) => {
          const { correlationId } = reply?.properties ?? {}
          replies.set(correlationId, JSON.parse(reply?.content.toString() ?? ''))
        },
        { noAck: true },
      )
    }
    channel.publish('', queue, body, { ...properties, headers })
  }
  await channel.waitForConfirms()
  return {
    result: ({ expected }) => eventually(() => replies.get(expected?.['id'])),
    [Symbol.asyncDispose]: () => connection.close(),
  }
}
