import { ListQueuesCommand } from '@aws-sdk/client-sqs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, jest } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import type { Broker, Delivery } from '../../../src/broker/contract.js'
import { isRecord } from '../../../src/util/record.js'
import { node } from '../../support/child.js'
import { serviceUrl } from '../../support/service-url.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { never, SqsStage } from './stage.js'

jest.setTimeout(40_000)

const server = serviceUrl('sqs') ?? ''
const withServer = server === '' ? describe.skip : describe
const claimScript = fileURLToPath(new URL('../../support/child/claim.js', import.meta.url))
/** How long the service hides a message at most, in seconds, in place of twelve hours. */
const CEILING = 4

/** The delays of what was sent. */
function delays(stage: SqsStage): readonly unknown[] {
  return stage.gate.of('SendMessageBatch').flatMap(({ input }) => {
    const entries: unknown = input['Entries']
    return Array.isArray(entries)
      ? entries.map((entry: unknown) => (isRecord(entry) ? entry['DelaySeconds'] : 0))
      : []
  })
}

/** Queues that keep the message of a long task, by their full names. */
async function keptQueues(stage: SqsStage): Promise<readonly string[]> {
  const { QueueUrls = [] } = await stage.client.send(
    new ListQueuesCommand({ QueueNamePrefix: `${stage.prefix}lovage-kept-` }),
  )
  return QueueUrls.map((url) => url.slice(url.lastIndexOf('/') + 1))
}

/** What the service counts of each queue that keeps a message; one that goes meanwhile is left out. */
async function keptCounts(stage: SqsStage): Promise<readonly (readonly number[])[]> {
  const found = await Promise.all(
    (await keptQueues(stage)).map((name) => stage.counts(name).catch(() => undefined)),
  )
  return found.filter((counts) => counts !== undefined)
}

/** Wait until one queue keeps one message, claimed. */
async function untilKept(stage: SqsStage): Promise<void> {
  await eventually(async () => JSON.stringify(await keptCounts(stage)) === '[[0,1,0]]', 20_000)
}

/** Renew a claim as a worker does, for so long. */
async function holdOn(broker: Broker, claims: readonly Delivery[], ms: number): Promise<readonly string[]> {
  const lost: string[] = []
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    const renewal = await broker.leases?.renew(
      '',
      claims.map(({ tag }) => tag),
      2_000,
    )
    lost.push(...(renewal?.lostTags ?? []))
    await sleep(500)
  }
  return lost
}

withServer('delays on SQS', () => {
  it("are the service's own up to a quarter of an hour", async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')

    await broker.publish([
      outgoing('jobs', 'minute', { delayMs: 60_000 }),
      outgoing('jobs', 'hours', { delayMs: 7_200_000 }),
      outgoing('jobs', 'now'),
      outgoing('jobs', 'celery', { properties: { extra: { DelaySeconds: 33 } } }),
    ])

    expect(delays(stage)).toEqual([60, 900, undefined, 33])
    expect(await stage.counts(`${stage.prefix}jobs`)).toEqual([1, 0, 3])
  })

  it('are begun anew for what comes before its time, and nobody sees it', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    let isFirst = true
    stage.gate.rewrite = ({ action, input }) => {
      if (action !== 'SendMessageBatch' || !isFirst) return input
      isFirst = false
      // As if the quarter of an hour were over already.
      const text = JSON.stringify(input).replace(/,?"DelaySeconds":900/, '')
      const rewritten: unknown = JSON.parse(text)
      return isRecord(rewritten) ? rewritten : input
    }
    await broker.publish([outgoing('jobs', 'later', { delayMs: 7_200_000 })])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })

    const early = await consumer.fetch(10, { waitMs: 2_000, signal: never })
    await eventually(async () => (await stage.counts(`${stage.prefix}jobs`)).join() === '0,0,1', 20_000)

    expect(early).toEqual([])
    expect(delays(stage)).toEqual([900, 900])
  })

  it('count from when the service took the message, however late the publisher takes it to be', async () => {
    await using stage = await SqsStage.open(server)
    stage.gate.staleMs = 5_000
    const publisher = await stage.queue('jobs')
    const sentMs = Date.now()
    await publisher.publish([outgoing('jobs', 'later', { delayMs: 700 })])
    stage.gate.staleMs = 0
    const broker = await stage.broker()
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })

    const [delivery] = await consumer.fetch(1, { waitMs: 10_000, signal: never })

    expect(delivery?.due).toBe(true)
    expect(Date.now()).toBeGreaterThanOrEqual(sentMs + 700)
  })

  it('end at their millisecond, though the service counts seconds', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    const dueMs = Date.now() + 1_700

    await broker.publish([outgoing('jobs', 'due', { notBeforeMs: dueMs })])
    const [delivery] = await consumer.fetch(1, { waitMs: 5_000, signal: never })

    expect(Date.now()).toBeGreaterThanOrEqual(dueMs)
    expect(delivery?.due).toBe(true)
  })
})

withServer('a task on SQS that runs longer than the service hides its message', () => {
  it('keeps its claim: the message moves to a queue of its own, and is deleted there', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs', { visibility_ceiling: CEILING })
    await broker.publish([outgoing('jobs', 'long')])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 2_000 })
    const claims = await take(consumer, 1)
    const overMs = performance.now() + CEILING * 1000
    stage.gate.instead = ({ action, input }) => {
      // What the service says then; the server at hand would go on.
      const isOver = performance.now() > overMs && String(input['QueueUrl']).endsWith('jobs')
      if (action !== 'ChangeMessageVisibilityBatch' || !isOver) return undefined
      const Message = 'Total VisibilityTimeout for the message is beyond the limit [43200 seconds]'
      const Failed = [{ Id: '0', Code: 'InvalidParameterValue', SenderFault: true, Message }]
      return { status: 200, body: { Failed, Successful: [] } }
    }

    const lost = await holdOn(broker, claims, CEILING * 1000 + 2_500)
    // It moves again and again: for a moment there are two.
    await untilKept(stage)
    const counts = await stage.counts(`${stage.prefix}jobs`)
    const listed = await broker.queues?.()
    const stale = await consumer.ack(claims)
    await eventually(async () => (await keptQueues(stage)).length === 0, 20_000)

    expect(lost).toEqual([])
    expect(counts).toEqual([0, 0, 0])
    expect(listed).toEqual(['jobs'])
    expect(stale).toEqual([])
  })

  it('is copied once where its copy does not come at the first request', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs', { visibility_ceiling: CEILING })
    await broker.publish([outgoing('jobs', 'long')])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 10_000 })
    const claims = await take(consumer, 1)
    let refused = 0
    stage.gate.instead = ({ action, input }) => {
      const isCopy = action === 'ReceiveMessage' && String(input['QueueUrl']).includes('lovage-kept-')
      if (!isCopy || refused > 0) return undefined
      refused += 1
      return { status: 200, body: { Messages: [] } }
    }
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)

    await eventually(async () => (await keptCounts(stage)).some(([, claimed]) => claimed === 1), 20_000)
    const counts = await keptCounts(stage)
    await consumer.ack(claims)
    warn.mockRestore()

    expect(refused).toBe(1)
    expect(counts).toEqual([[0, 1, 0]])
    await eventually(async () => (await keptQueues(stage)).length === 0, 20_000)
  })

  it('is gone where it is acknowledged while it moves', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs', { visibility_ceiling: CEILING })
    await broker.publish([outgoing('jobs', 'long')])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 10_000 })
    const claims = await take(consumer, 1)
    let acking: Promise<unknown> | undefined
    stage.gate.instead = ({ action, input }) => {
      const isCopy = action === 'SendMessageBatch' && String(input['QueueUrl']).includes('lovage-kept-')
      if (isCopy) acking ??= consumer.ack(claims)
      return undefined
    }

    await eventually(() => acking !== undefined, 20_000)
    const stale = await acking
    await eventually(async () => (await keptQueues(stage)).length === 0, 20_000)

    expect(stale).toEqual([])
    expect(await stage.counts(`${stage.prefix}jobs`)).toEqual([0, 0, 0])
  })

  it('comes back to its queue when its worker dies', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs', { visibility_ceiling: CEILING })
    await broker.publish([outgoing('jobs', 'long')])
    const url = `${stage.gate.url}&queue_name_prefix=${stage.prefix}&visibility_ceiling=${String(CEILING)}`
    await using child = node(claimScript, [url, 'jobs', '1', '10000'])
    await child.waitForLine('claimed')
    await eventually(async () => (await stage.counts(`${stage.prefix}jobs`)).join() === '0,0,0', 20_000)
    await child.stop()

    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    const [delivery] = await consumer.fetch(1, { waitMs: 15_000, signal: never })

    expect(delivery).toMatchObject({ deliveryCount: 2, redelivered: true, queue: 'jobs' })
    expect(textsOf(delivery === undefined ? [] : [delivery])).toEqual(['long'])
    await eventually(async () => (await keptQueues(stage)).length === 0, 20_000)
  })

  it('counts as acknowledged where no queue may be made, and a warning says so', async () => {
    await using stage = await SqsStage.open(server)
    await stage.queue('jobs')
    const url = await stage.urlOf(`${stage.prefix}jobs`)
    const broker = await stage.broker({ predefined_queues: { jobs: { url } }, visibility_ceiling: CEILING })
    await broker.publish([outgoing('jobs', 'long')])
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 2_000 })
    const claims = await take(consumer, 1)
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)

    const lost = await holdOn(broker, claims, CEILING * 1000 + 1_000)
    const stale = await consumer.ack(claims)
    const warnings = warn.mock.calls.map(([warning]) => String(warning))
    warn.mockRestore()

    expect([...lost, ...stale]).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('it counts as acknowledged')])
    expect(await stage.counts(`${stage.prefix}jobs`)).toEqual([0, 0, 0])
  })
})

withServer('a message on SQS that was received and not fetched', () => {
  it('goes to somebody else well before its lease ends, and that claim does not count', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    const idle = await broker.consume(['jobs'], { credit: 10, leaseMs: 8_000 })
    await idle.fetch(10, { waitMs: 5_000, signal: AbortSignal.timeout(200) })
    await broker.publish([outgoing('jobs', 'waiting')])

    const busy = await broker.consume(['jobs'], { credit: 10, leaseMs: 8_000 })
    const fromMs = performance.now()
    const [delivery] = await busy.fetch(1, { waitMs: 20_000, signal: never })

    expect(performance.now() - fromMs).toBeLessThan(7_600)
    expect(delivery).toMatchObject({ deliveryCount: 1 })
  })
})
