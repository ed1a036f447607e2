import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { describe, expect, it, jest } from '@jest/globals'
import type { Consumer, Delivery, Outgoing } from '../../../src/broker/contract.js'
import { QueueNotFoundError, UnsupportedError } from '../../../src/errors/errors.js'
import { Lovage } from '../../../src/index.js'
import { isRecord } from '../../../src/util/record.js'
import { serviceUrl } from '../../support/service-url.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { never, SqsStage } from './stage.js'

jest.setTimeout(30_000)

const server = serviceUrl('sqs') ?? ''
const thrown = (error: unknown): unknown => error
const withServer = server === '' ? describe.skip : describe

withServer('queues of SQS', () => {
  it('are named and made as Celery names and makes them, behind a prefix', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('my.queue:1', {
      visibility_timeout: 60,
      queue_tags: { team: 'shop' },
      'sqs-creation-attributes': { DelaySeconds: 0 },
    })

    await broker.publish([outgoing('my.queue:1', 'here')])

    expect(await stage.counts(`${stage.prefix}my-queue_1`)).toEqual([1, 0, 0])
    expect(await broker.queues?.()).toEqual(['my.queue:1'])
    expect(stage.gate.of('CreateQueue').map(({ input }) => input)).toEqual([
      {
        QueueName: `${stage.prefix}my-queue_1`,
        Attributes: { VisibilityTimeout: '60', DelaySeconds: '0' },
        tags: { team: 'shop' },
      },
    ])
  })

  it('that are predefined are neither looked up nor made, and have keys of their own', async () => {
    await using stage = await SqsStage.open(server)
    await stage.queue('jobs')
    const url = await stage.urlOf(`${stage.prefix}jobs`)
    const jobs = { url, region: 'eu-west-3', access_key_id: 'OWNKEY', secret_access_key: 'own' }
    const from = stage.gate.requests.length
    const broker = await stage.broker({ predefined_queues: { jobs } })

    await broker.declare({ name: 'jobs', lifetime: 'durable', bindings: [] })
    await broker.publish([outgoing('jobs', 'one')])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    await consumer.ack(await take(consumer, 1))
    const error = await broker
      .declare({ name: 'other', lifetime: 'durable', bindings: [] })
      .catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(QueueNotFoundError)
    expect(error).toMatchObject({ message: expect.stringContaining('predefined_queues: jobs') })
    const counts = stage.gate.counts(from)
    for (const action of ['ListQueues', 'GetQueueUrl', 'CreateQueue']) expect(counts[action]).toBeUndefined()
    expect(stage.gate.of('SendMessageBatch')[0]?.headers['authorization']).toMatch(
      /Credential=OWNKEY\/\d+\/eu-west-3\/sqs\//,
    )
    expect(await broker.queues?.()).toEqual(['jobs'])
  })

  it('that are predefined with a policy hide given back messages of its tasks for as long as its table says', async () => {
    await using stage = await SqsStage.open(server)
    await stage.queue('jobs')
    const url = await stage.urlOf(`${stage.prefix}jobs`)
    const jobs = { url, backoff_policy: { 1: 10, 2: 20, '3': 0 }, backoff_tasks: ['shop.pay'] }
    const broker = await stage.broker({ predefined_queues: { jobs } })
    const named = (task: string): Outgoing => {
      const one = outgoing('jobs', task)
      return { ...one, message: { ...one.message, headers: { task } } }
    }
    await broker.publish([named('shop.pay'), named('shop.other')])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    const spent = { delayMs: 0, unspent: false }

    const claims = await take(consumer, 2)
    await consumer.handBack(claims.map((delivery) => ({ delivery, ...spent })))
    const [again] = await take(consumer, 1)
    if (again !== undefined) await consumer.handBack([{ delivery: again, delayMs: 3_000, unspent: false }])

    const hidden = stage.gate.of('ChangeMessageVisibilityBatch').map(({ input }) => {
      const entries: unknown = input['Entries']
      const list: readonly unknown[] = Array.isArray(entries) ? entries : []
      return list.map((entry) => (isRecord(entry) ? entry['VisibilityTimeout'] : undefined))
    })
    expect(textsOf(claims).map((task) => (task === 'shop.pay' ? 10 : 0))).toEqual(hidden[0])
    expect(textsOf(again === undefined ? [] : [again])).toEqual(['shop.other'])
    expect(hidden[1]).toEqual([3])
  })

  it('move what is claimed too often to their dead letters; what goes back unspent does not count', async () => {
    await using stage = await SqsStage.open(server)
    const { QueueUrl } = await stage.client.send(new CreateQueueCommand({ QueueName: `${stage.prefix}dead` }))
    const { Attributes } = await stage.client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    )
    const policy = { deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: 2 }
    const broker = await stage.queue('jobs', {
      'sqs-creation-attributes': { RedrivePolicy: JSON.stringify(policy) },
    })
    await broker.publish([outgoing('jobs', 'poison')])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    const claimAndReturn = async (unspent: boolean): Promise<number | undefined> => {
      const [delivery] = await take(consumer, 1)
      if (delivery !== undefined) await consumer.handBack([{ delivery, delayMs: 0, unspent }])
      return delivery?.deliveryCount
    }

    const unspent = [await claimAndReturn(true), await claimAndReturn(true), await claimAndReturn(true)]
    const spent = [await claimAndReturn(false), await claimAndReturn(false), await claimAndReturn(false)]

    expect(unspent).toEqual([1, 1, 1])
    expect(spent).toEqual([1, 2, undefined])
    expect(await stage.counts(`${stage.prefix}dead`)).toEqual([1, 0, 0])
  })

  it('tell about how many messages are ready', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')

    await broker.publish([
      outgoing('jobs', 'a'),
      outgoing('jobs', 'b'),
      outgoing('jobs', 'c', { delayMs: 60_000 }),
    ])

    expect(broker.capabilities.depth).toBe('approximate')
    expect(await broker.depth('jobs')).toBe(2)
  })

  it('have no priorities and no fanout, which is said by name', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.broker()
    const spec = { name: 'jobs', lifetime: 'durable', bindings: [] } as const
    const fanout = { exchange: 'news', type: 'fanout', routingKey: '' } as const
    const app = new Lovage('sqs', { broker: stage.gate.url, backend: false })
    const task = app.task('sqs.noop', () => undefined)

    const refusals = await Promise.all(
      [
        () => broker.declare({ ...spec, arguments: { 'x-max-priority': 9 } }),
        () => broker.declare({ ...spec, bindings: [fanout] }),
        () => task.applyAsync([], { priority: 5 }),
        () => stage.broker({ supports_fanout: true }),
      ].map((work) =>
        work().then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    )
    await app.close()

    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(UnsupportedError)
      expect(refusal).toMatchObject({ message: expect.stringMatching(/broker "sqs".*(priorit|fanout)/) })
    }
  })
})

describe.each(['sqs', 'fauxqs'].map((name) => [name, serviceUrl(name) ?? ''] as const))(
  'a FIFO queue on %s',
  (_name, url) => {
    const withUrl = url === '' ? it.skip : it

    async function one(consumer: Consumer): Promise<readonly string[]> {
      return textsOf(await consumer.fetch(1, { waitMs: 1_500, signal: never }))
    }

    withUrl('keeps the order of a group, whose next message waits for the one before', async () => {
      await using stage = await SqsStage.open(url)
      const broker = await stage.queue('jobs.fifo')
      const inGroup = (text: string, group: string) =>
        outgoing('jobs.fifo', text, { properties: { extra: { MessageGroupId: group } } })
      await broker.publish([inGroup('a1', 'a'), inGroup('a2', 'a'), inGroup('a3', 'a')])
      const [first, second] = await Promise.all(
        [1, 2].map(() => broker.consume(['jobs.fifo'], { credit: 1, leaseMs: 30_000 })),
      )

      const held = await first?.fetch(1, { waitMs: 1_500, signal: never })
      const meanwhile = second === undefined ? undefined : await one(second)
      await first?.ack(held ?? [])
      const next = first === undefined ? undefined : await take(first, 1)

      expect(textsOf(held ?? [])).toEqual(['a1'])
      expect(meanwhile).toEqual([])
      expect(textsOf(next ?? [])).toEqual(['a2'])
      expect(stage.gate.of('CreateQueue')[0]?.input).toMatchObject({ Attributes: { FifoQueue: 'true' } })
    })

    withUrl(
      'hands out one message of a group at a time, and the group again from one that is given back',
      async () => {
        await using stage = await SqsStage.open(url)
        const broker = await stage.queue('jobs.fifo')
        const inGroup = (text: string, group: string) =>
          outgoing('jobs.fifo', text, { properties: { extra: { MessageGroupId: group } } })
        await broker.publish([inGroup('a1', 'a'), inGroup('a2', 'a'), inGroup('b1', 'b'), inGroup('a3', 'a')])
        const consumer = await broker.consume(['jobs.fifo'], { credit: 10, leaseMs: 30_000 })
        const some = () => consumer.fetch(10, { waitMs: 3_000, signal: never })

        const first = await take(consumer, 2)
        const meanwhile = await consumer.fetch(10, { waitMs: 100, signal: never })
        await consumer.ack(first)
        const second = await some()
        await consumer.handBack(second.map((delivery) => ({ delivery, delayMs: 0, unspent: false })))
        const third = await some()
        await consumer.ack(third)

        expect(textsOf(first).slice().sort()).toEqual(['a1', 'b1'])
        expect(meanwhile).toEqual([])
        expect(textsOf(second)).toEqual(['a2'])
        expect(textsOf(third)).toEqual(['a2'])
        expect(textsOf(await some())).toEqual(['a3'])
      },
    )

    withUrl(
      'is claimed message by message, so that none is counted for waiting behind a long task',
      async () => {
        await using stage = await SqsStage.open(url)
        const broker = await stage.queue('jobs.fifo')
        const names = Array.from({ length: 8 }, (_, n) => String(n))
        await broker.publish(names.map((text) => outgoing('jobs.fifo', text)))
        const leaseMs = 6_000
        const consumer = await broker.consume(['jobs.fifo'], { credit: 10, leaseMs })
        // As many as a worker has room for.
        const fetch = () => consumer.fetch(10, { waitMs: 3_000, signal: never })
        const came: Delivery[] = [...(await fetch())]

        // A worker fetches while its task runs.
        const meanwhile = await consumer.fetch(10, { waitMs: leaseMs / 2 + 500, signal: never })
        await consumer.ack(came)
        const restMs = performance.now()
        while (came.length < names.length) {
          const next = await fetch()
          if (next.length === 0) break
          await consumer.ack(next)
          came.push(...next)
        }

        expect(meanwhile).toEqual([])
        expect(textsOf(came)).toEqual(names)
        expect(came.map(({ deliveryCount }) => deliveryCount)).toEqual(names.map(() => 1))
        expect(performance.now() - restMs).toBeLessThan(20_000)
      },
    )

    withUrl('is sent nothing that would overtake what could not be sent', async () => {
      await using stage = await SqsStage.open(url)
      const broker = await stage.queue('jobs.fifo')
      const names = Array.from({ length: 25 }, (_, n) => String(n))
      let times = 0
      stage.gate.instead = ({ action }) => {
        if (action !== 'SendMessageBatch') return undefined
        times += 1
        // The second batch, and the SDK's own second try of it.
        return times === 2 || times === 3
          ? { status: 503, body: { __type: 'ServiceUnavailable' } }
          : undefined
      }

      const error = await broker.publish(names.map((text) => outgoing('jobs.fifo', text))).catch(thrown)

      expect(error).toMatchObject({ indexes: names.slice(10).map(Number) })
      expect(times).toBe(3)
    })

    withUrl('drops a double by its deduplication id, and puts all else into one group', async () => {
      await using stage = await SqsStage.open(url)
      const broker = await stage.queue('jobs.fifo')
      const same = { properties: { extra: { MessageDeduplicationId: 'd1' } } }

      await broker.publish([outgoing('jobs.fifo', 'first', same), outgoing('jobs.fifo', 'again', same)])
      await broker.publish([outgoing('jobs.fifo', 'other', { delayMs: 1_000 })])
      const consumer = await broker.consume(['jobs.fifo'], { credit: 10, leaseMs: 30_000 })
      const came: string[] = []
      for (let time = 0; time < 2; time += 1) {
        const taken = await take(consumer, 1)
        came.push(...textsOf(taken))
        await consumer.ack(taken)
      }

      expect(came).toEqual(['first', 'other'])
      const [sent] = stage.gate.of('SendMessageBatch')
      expect(sent?.input['Entries']).toMatchObject([
        { MessageGroupId: 'default', MessageDeduplicationId: 'd1' },
        {},
      ])
      for (const { input } of stage.gate.of('SendMessageBatch'))
        expect(JSON.stringify(input)).not.toContain('DelaySeconds')
    })

    withUrl('shows a message that is handed back in its old place', async () => {
      await using stage = await SqsStage.open(url)
      const broker = await stage.queue('jobs.fifo')
      await broker.publish(['1', '2'].map((text) => outgoing('jobs.fifo', text)))
      const consumer = await broker.consume(['jobs.fifo'], { credit: 1, leaseMs: 30_000 })

      const [delivery] = await take(consumer, 1)
      if (delivery !== undefined) await consumer.handBack([{ delivery, delayMs: 0, unspent: true }])

      expect(textsOf(await take(consumer, 1))).toEqual(['1'])
    })

    withUrl('counts what is handed back, and writes nothing onto it', async () => {
      await using stage = await SqsStage.open(url)
      const broker = await stage.queue('jobs.fifo')
      await broker.publish([outgoing('jobs.fifo', '1')])
      const consumer = await broker.consume(['jobs.fifo'], { credit: 1, leaseMs: 30_000 })

      const [first] = await take(consumer, 1)
      const headers = { 'lovage-requeues': 1 }
      if (first !== undefined)
        await consumer.handBack([{ delivery: first, delayMs: 0, unspent: false, headers }])
      const [again] = await take(consumer, 1)

      expect(again?.deliveryCount).toBe(2)
      expect(again?.message.headers).toEqual(first?.message.headers)
    })
  },
)
