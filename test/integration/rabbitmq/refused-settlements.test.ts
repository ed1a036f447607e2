import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { pino } from 'pino'
import { deadLetterQueueSpec, readDeadLetter } from '../../../src/control/dead-letter.js'
import { Lovage, PublishError, Reject } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/config/config.js'
import type { Broker, Delivery, Outgoing } from '../../../src/broker/contract.js'
import { startWorker } from '../../../src/testing/index.js'
import { never } from '../../conformance/time.js'
import { canStartRabbitmq, RabbitmqServer } from '../../support/rabbitmq-server.js'
import { randomName } from '../../support/temp.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

const LIMIT = 100_000
const withServer = canStartRabbitmq() ? describe : describe.skip

let server: RabbitmqServer
const closers: (() => Promise<unknown>)[] = []

function startsWith(setting: string): void {
  beforeAll(async () => {
    server = await RabbitmqServer.start(setting)
  }, 90_000)

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })
}

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function open(settings: ConfigInput): Lovage {
  const app = new Lovage('shop', { broker: server.url, ...settings })
  closers.push(() => app.close())
  return app
}

/** Waits for the dead letter of a queue. */
async function letterOf(app: Lovage, queue: string): Promise<Delivery | undefined> {
  const broker = await internalsOf(app).openBroker()
  closers.push(() => broker.close())
  await broker.declare(deadLetterQueueSpec(queue))
  const consumer = await broker.consume([`${queue}.dead`], { credit: 1, leaseMs: 30_000 })
  const [letter] = await consumer.fetch(1, { waitMs: 30_000, signal: never })
  if (letter !== undefined) await consumer.ack([letter])
  return letter
}

async function publishWith(headers: Record<string, unknown>, queue: string): Promise<void> {
  const app = open({ backend: false, taskDefaultQueue: queue })
  const broker = await internalsOf(app).openBroker()
  closers.push(() => broker.close())
  await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
  await broker.publish([messageWith(headers, queue)])
}

function messageWith(headers: Record<string, unknown>, queue: string): Outgoing {
  return {
    route: { exchange: '', routingKey: queue },
    message: {
      body: Buffer.from('[[], {}, {}]'),
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: { id: 'large', task: 'tasks.no', lang: 'js', ...headers },
      properties: { correlationId: 'large' },
    },
  }
}

/** A message with headers of this length is rejected by its task. */
async function setsAside(length: number): Promise<void> {
  const taskDefaultQueue = randomName('queue')
  const app = open({ backend: 'memory://', taskDefaultQueue })
  let runs = 0
  app.task('tasks.no', () => {
    runs += 1
    throw new Reject('not today')
  })
  await publishWith({ note: 'x'.repeat(length) }, taskDefaultQueue)
  const worker = await startWorker(app)

  const letter = await letterOf(app, taskDefaultQueue)
  await worker.stop()

  if (letter === undefined) throw new RangeError('nothing came')
  const read = readDeadLetter(letter)
  expect(read).toMatchObject({ id: 'large', reason: 'rejected', detail: 'Reject: not today' })
  expect(read.message.headers).toMatchObject({ task: 'tasks.no', note: 'x'.repeat(length) })
  expect(Buffer.from(read.message.body).toString()).toBe('[[], {}, {}]')
  expect(runs).toBe(1)
}

withServer('what RabbitMQ refuses of a task that ended', () => {
  startsWith(`max_message_size = ${LIMIT}`)

  it('is a failure by rpc that says so, where its result is larger than a message may be', async () => {
    const taskDefaultQueue = randomName('queue')
    const app = open({ backend: 'rpc://', taskDefaultQueue })
    const working = open({ backend: 'rpc://', taskDefaultQueue })
    let runs = 0
    working.task('tasks.long', (length: number) => {
      runs += 1
      return 'x'.repeat(length)
    })
    const worker = await startWorker(working)

    const [long, short] = await Promise.all([
      app.sendTask('tasks.long', { args: [2 * LIMIT] }),
      app.sendTask('tasks.long', { args: [1] }),
    ])

    await expect(long.get(20)).rejects.toThrow(/message size \d+ is larger/)
    expect(await short.get(20)).toBe('x')
    expect(runs).toBe(2)
    await worker.stop()
  })

  it('is a failure that says so, where it is a follow-up', async () => {
    const taskDefaultQueue = randomName('queue')
    const app = open({ backend: 'memory://', taskDefaultQueue })
    let runs = 0
    const task = app.task('tasks.long', () => {
      runs += 1
      return 'x'.repeat(2 * LIMIT)
    })
    const next = app.task('tasks.next', (text: string) => text.length)
    const worker = await startWorker(app)

    const result = await task.applyAsync([], { link: next.s() })

    await expect(result.get(20)).rejects.toThrow(/message size \d+ is larger/)
    expect(runs).toBe(1)
    await worker.stop()
  })

  it('is set aside after one run, where its letter has longer headers than can be written', () =>
    setsAside(65_300))
})

withServer('headers that are longer than a frame of RabbitMQ', () => {
  startsWith('frame_max = 8192')

  it('are an error at the call, which no other call suffers from', async () => {
    const app = open({ backend: false, taskDefaultQueue: randomName('queue') })
    await app.sendTask('tasks.first')

    const sent = await Promise.allSettled([
      app.sendTask('tasks.any'),
      app.sendTask('tasks.any', { headers: { note: 'x'.repeat(20_000) } }),
      app.sendTask('tasks.any'),
    ])

    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(sent[1]).toMatchObject({ reason: { code: 'LOVAGE_PUBLISH', retryable: false } })
  })

  it('do not keep a message from being set aside after one run', () => setsAside(7_950))
  it('do not keep it from going back as it came, at once or after a while, unless it counts', async () => {
    const queue = randomName('queue')
    const broker = await largest(queue)
    const consumer = await broker.consume([queue], { credit: 1, leaseMs: 30_000 })
    const [first] = await consumer.fetch(1, { waitMs: 5_000, signal: never })
    if (first === undefined) throw new RangeError('nothing came')

    await consumer.handBack([{ delivery: first, delayMs: 0, unspent: true }])
    const [again] = await consumer.fetch(1, { waitMs: 5_000, signal: never })
    if (again === undefined) throw new RangeError('nothing came again')
    await consumer.handBack([{ delivery: again, delayMs: 500, unspent: true }])
    const [later] = await consumer.fetch(1, { waitMs: 5_000, signal: never })

    if (later === undefined) throw new RangeError('nothing came later')
    expect([first, again, later].map(({ deliveryCount }) => deliveryCount)).toEqual([1, 1, 1])
    expect(later.message.headers).toEqual(first.message.headers)
    await expect(consumer.handBack([{ delivery: later, delayMs: 0, unspent: false }])).rejects.toThrow(
      /its headers make \d+ bytes/,
    )
    await consumer.ack([later])
    expect(await broker.depth(queue)).toBe(0)
  })

  it.each([
    ['no worker knows', 'tasks.other', {}],
    ['its task puts back', 'tasks.no', { backend: 'memory://' }],
    ['its task puts back, and no result is kept', 'tasks.no', {}],
  ])('make a dead letter at once of what %s', async (_what, name, settings) => {
    const taskDefaultQueue = randomName('queue')
    await largest(taskDefaultQueue)
    const lines: string[] = []
    const app = open({ backend: false, taskDefaultQueue, deadLetterExpires: 600, ...settings })
    internalsOf(app).logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
    let runs = 0
    app.task(name, () => {
      runs += 1
      throw new Reject('later', true)
    })
    const worker = await startWorker(app)

    const letter = await letterOf(app, taskDefaultQueue)
    await worker.stop()

    if (letter === undefined) throw new RangeError('nothing came')
    const read = readDeadLetter(letter)
    expect(read).toMatchObject({ id: 'large', reason: 'refused' })
    expect(read.detail).toMatch(/its headers make \d+ bytes/)
    expect(read.message.headers).toMatchObject({ task: 'tasks.no', note: expect.stringMatching(/^x+$/) })
    expect(letter.message.properties.expirationMs).toBeLessThanOrEqual(600_000)
    expect(runs).toBe(name === 'tasks.no' ? 1 : 0)
    expect(lines.filter((line) => line.includes('refused'))).toHaveLength(1)
  })
})

/** Publish the message with the longest headers that the queue takes; resolves with the broker. */
async function largest(queue: string): Promise<Broker> {
  const app = open({ backend: false })
  const broker = await internalsOf(app).openBroker()
  closers.push(() => broker.close())
  await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
  for (let length = 8_192; length > 0; length -= 1) {
    try {
      await broker.publish([messageWith({ note: 'x'.repeat(length) }, queue)])
      return broker
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
    }
  }
  throw new RangeError('nothing fits')
}
