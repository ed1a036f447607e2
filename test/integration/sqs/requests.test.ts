import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { describe, expect, it, jest } from '@jest/globals'
import type { Delivery } from '../../../src/broker/contract.js'
import { BrokerConnectionError, MessageTooLargeError, PublishError } from '../../../src/errors/errors.js'
import { Lovage } from '../../../src/index.js'
import { isRecord } from '../../../src/util/record.js'
import { Worker } from '../../../src/worker/index.js'
import { serviceUrl } from '../../support/service-url.js'
import type { SqsRequest } from '../../support/sqs-gate.js'
import { tempFolder } from '../../support/temp.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { never, SqsStage } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(30_000)

const server = serviceUrl('sqs') ?? ''
const withServer = server === '' ? describe.skip : describe
/** Enough for the worker to learn how quick they are. */
const TASKS = 1_000
const many = (count: number, queue = 'jobs') =>
  Array.from({ length: count }, (_, index) => outgoing(queue, `m${String(index)}`))

/** The entries of a batch request. */
function entriesOf({ input }: SqsRequest): readonly Readonly<Record<string, unknown>>[] {
  const entries: unknown = input['Entries']
  return Array.isArray(entries) ? entries.filter(isRecord) : []
}

const sizes = (requests: readonly SqsRequest[]): readonly number[] =>
  requests.map((request) => entriesOf(request).length).sort((one, other) => other - one)

/** An answer in which the entries at these positions failed, and the rest did not. */
function partly(request: SqsRequest, failed: readonly number[], code: string, isOurs: boolean) {
  const ids = entriesOf(request).map(({ Id }) => String(Id))
  return {
    status: 200,
    body: {
      Successful: ids.flatMap((Id, at) =>
        failed.includes(at) ? [] : [{ Id, MessageId: Id, MD5OfMessageBody: '' }],
      ),
      Failed: failed.map((at) => ({ Id: ids[at], Code: code, SenderFault: isOurs, Message: 'on purpose' })),
    },
  }
}

withServer('requests to SQS', () => {
  it('send, receive and delete ten messages at a time', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    const from = stage.gate.requests.length

    await broker.publish(many(25))
    const consumer = await broker.consume(['jobs'], { credit: 100, leaseMs: 30_000 })
    const taken = await take(consumer, 25)
    await consumer.ack(taken)

    expect(new Set(textsOf(taken)).size).toBe(25)
    expect(sizes(stage.gate.of('SendMessageBatch'))).toEqual([10, 10, 5])
    expect(sizes(stage.gate.of('DeleteMessageBatch'))).toEqual([10, 10, 5])
    for (const { input } of stage.gate.of('ReceiveMessage'))
      expect(input['MaxNumberOfMessages']).toBeLessThanOrEqual(10)
    expect(
      stage.gate.of('ReceiveMessage').filter(({ input }) => input['MaxNumberOfMessages'] === 10),
    ).not.toEqual([])
    expect(stage.gate.counts(from)['SendMessage']).toBeUndefined()
  })

  it('send again, one by one, what the service could not take out of a batch', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    let times = 0
    stage.gate.instead = (request) => {
      if (request.action !== 'SendMessageBatch' || (times += 1) > 1) return undefined
      return partly(request, [2, 7], 'InternalError', false)
    }

    await broker.publish(many(10))

    expect(sizes(stage.gate.of('SendMessageBatch'))).toEqual([10, 1, 1])
  })

  it('name the messages that the service refuses, and send the rest', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    stage.gate.instead = (request) =>
      request.action === 'SendMessageBatch' ? partly(request, [3], 'InvalidMessageContents', true) : undefined

    const error = await broker.publish(many(10)).catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(PublishError)
    expect(error).toMatchObject({ indexes: [3], message: expect.stringContaining('on purpose') })
    expect(stage.gate.of('SendMessageBatch')).toHaveLength(1)
  })

  it('acknowledge again only what was not deleted', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    await broker.publish(many(5))
    const consumer = await broker.consume(['jobs'], { credit: 100, leaseMs: 30_000 })
    const taken = await take(consumer, 5)
    let isDown = true
    stage.gate.instead = (request) => {
      if (request.action !== 'DeleteMessageBatch' || !isDown) return undefined
      return entriesOf(request).length > 1
        ? partly(request, [4], 'ServiceUnavailable', false)
        : partly(request, [0], 'ServiceUnavailable', false)
    }

    await expect(consumer.ack(taken)).rejects.toBeInstanceOf(BrokerConnectionError)
    isDown = false
    const lost = await consumer.ack(taken)

    expect(lost).toEqual([])
    expect(sizes(stage.gate.of('DeleteMessageBatch'))).toEqual([5, 1, 1])
  })

  it('wait at the service while nothing is there, longer and longer', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    // The waits themselves would take the test's time.
    stage.gate.rewrite = ({ input }) => ({
      ...input,
      ...('WaitTimeSeconds' in input && { WaitTimeSeconds: 0 }),
    })
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })

    const waits = () => stage.gate.of('ReceiveMessage').map(({ input }) => input['WaitTimeSeconds'])
    const endMs = performance.now() + 20_000
    while (waits().length < 4 && performance.now() < endMs)
      await consumer.fetch(10, { waitMs: 5_000, signal: AbortSignal.timeout(150) })

    expect(waits().slice(0, 4)).toEqual([4, 8, 16, 20])
  })

  it('are one long poll at a time on an idle queue, which a message ends at once', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })

    await consumer.fetch(10, { waitMs: 5_000, signal: AbortSignal.timeout(300) })
    const waiting = consumer.fetch(10, { waitMs: 5_000, signal: never })
    const polls = () => stage.gate.of('ReceiveMessage').length
    const before = polls()
    await broker.publish(many(1))
    const came = await waiting

    expect(textsOf(came)).toEqual(['m0'])
    expect([before, polls()]).toEqual([1, 1])
  })

  it('renew claims ten at a time, and nobody else gets them', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    await broker.publish(many(23))
    const consumer = await broker.consume(['jobs'], { credit: 100, leaseMs: 6_000 })
    const taken: Delivery[] = []
    while (taken.length < 23) taken.push(...(await take(consumer, 23 - taken.length)))
    const tags = taken.map(({ tag }) => tag)

    for (let time = 0; time < 4; time += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_800))
      await broker.leases?.renew('', tags, 6_000)
    }
    const other = await broker.consume(['jobs'], { credit: 100, leaseMs: 6_000 })
    const stolen = await other.fetch(100, { waitMs: 0, signal: never })

    expect(stolen).toEqual([])
    expect(await consumer.ack(taken)).toEqual([])
    expect(sizes(stage.gate.of('ChangeMessageVisibilityBatch').slice(0, 3))).toEqual([10, 10, 3])
  })

  it('never carry a message that is too large: 256 KiB without asking, 1 MiB where the queue says so', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    stage.gate.instead = ({ action, input }) => {
      if (action === 'GetQueueAttributes')
        return { status: 200, body: { Attributes: { MaximumMessageSize: '1048576' } } }
      // What comes through was small enough for us.
      return action === 'SendMessageBatch' ? partly({ action, input, headers: {} }, [], '', false) : undefined
    }
    const text = (kib: number): string => 'x'.repeat(kib * 1024)

    // The body is base64 twice: 16 bytes for 9.
    await broker.publish([outgoing('jobs', text(500))])
    const error = await broker.publish([outgoing('jobs', text(600))]).catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({ indexes: [0], cause: expect.any(MessageTooLargeError) })
    expect(error).toMatchObject({ cause: { limitBytes: 1_048_576 } })
    expect(stage.gate.of('SendMessageBatch')).toHaveLength(1)
    expect(stage.gate.of('GetQueueAttributes')).toHaveLength(1)
  })

  it('keep batches within 256 KiB', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')

    await broker.publish(Array.from({ length: 4 }, () => outgoing('jobs', 'x'.repeat(60 * 1024))))

    expect(sizes(stage.gate.of('SendMessageBatch'))).toEqual([2, 2])
  })

  it('make a queue again that was deleted since it was declared', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    await broker.publish(many(1))
    await stage.client.send(new DeleteQueueCommand({ QueueUrl: await stage.urlOf(`${stage.prefix}jobs`) }))

    await broker.publish(many(3))

    expect(await stage.counts(`${stage.prefix}jobs`)).toEqual([3, 0, 0])
  })

  it('of a busy worker are at most 0.35 a task, and 0.1 for sending in bulk', async () => {
    await using stage = await SqsStage.open(server)
    await using folder = await tempFolder('sqs')
    const app = new Lovage('counted', {
      broker: stage.gate.url,
      brokerTransportOptions: { queue_name_prefix: stage.prefix },
      backend: `sqlite:///${folder.file('results.sqlite')}`,
      taskIgnoreResult: true,
    })
    let ran = 0
    const noop = app.task('counted.noop', (_value: number) => {
      ran += 1
    })
    await internalsOf(app)
      .broker()
      .then((broker) => broker.declare(internalsOf(app).queueSpec('celery')))
    const from = stage.gate.requests.length

    await noop.bulk(Array.from({ length: TASKS }, (_, index): [number] => [index]))
    const sent = stage.gate.counts(from)
    const before = stage.gate.requests.length
    const worker = new Worker(app, { concurrency: 10 })
    await worker.start()
    while (ran < TASKS || (await stage.counts(`${stage.prefix}celery`)).join() !== '0,0,0') await sleep(50)
    const {
      ReceiveMessage = 0,
      DeleteMessageBatch = 0,
      ChangeMessageVisibilityBatch = 0,
    } = stage.gate.counts(before)
    await worker.stop()
    await app.close()

    expect(sent).toEqual({ SendMessageBatch: TASKS / 10 })
    const requests = ReceiveMessage + DeleteMessageBatch + ChangeMessageVisibilityBatch
    expect(requests / TASKS).toBeLessThanOrEqual(0.35)
  })
})
