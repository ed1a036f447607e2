import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { Lovage } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { SqsStage } from './stage.js'

jest.setTimeout(60_000)

const server = serviceUrl('sqs') ?? ''
const withServer = server === '' ? describe.skip : describe

/** Wait for the service to be asked for messages with a long poll. */
async function asked(stage: SqsStage, from = 0): Promise<number> {
  for (const endMs = performance.now() + 20_000; performance.now() < endMs; await sleep(10)) {
    const polls = stage.gate.of('ReceiveMessage').slice(from)
    if (polls.some(({ input }) => Number(input['WaitTimeSeconds']) > 0)) return from + polls.length
  }
  throw new RangeError('the service was not asked')
}

withServer('what comes to SQS while an idle', () => {
  it('consumer is closed is there at once for the next, uncounted', async () => {
    await using stage = await SqsStage.open(server)
    const broker = await stage.queue('jobs')
    const stop = new AbortController()
    const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    const fetching = consumer.fetch(1, { waitMs: 20_000, signal: stop.signal })
    await asked(stage)
    stop.abort()
    expect(await fetching).toEqual([])

    const closing = consumer.close()
    await broker.publish([outgoing('jobs', 'a')])
    await closing
    await broker.publish([outgoing('jobs', 'b')])

    const next = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
    const taken = await take(next, 2)
    expect([...textsOf(taken)].sort()).toEqual(['a', 'b'])
    expect(taken.map(({ deliveryCount }) => deliveryCount)).toEqual([1, 1])
  })

  it('worker stops is there at once for the next, however long its poll is', async () => {
    await using stage = await SqsStage.open(server)
    const transportOptions = { queue_name_prefix: stage.prefix, wait_time_seconds: 12 }
    const app = new Lovage('idle', {
      broker: stage.gate.url,
      backend: false,
      brokerTransportOptions: transportOptions,
    })
    const counts: number[] = []
    const note = app.task({ name: 'idle.note', bind: true }, (self) => {
      counts.push(self.request.deliveryInfo.deliveryCount)
    })
    const worker = new Worker(app, { concurrency: 1 })
    await worker.start()
    // The first poll of four seconds brought nothing; the next takes eight.
    for (let from = 0, longest = 0; longest < 8;) {
      from = await asked(stage, from)
      longest = Math.max(
        ...stage.gate.of('ReceiveMessage').map(({ input }) => Number(input['WaitTimeSeconds'])),
      )
    }

    const stopping = worker.stop()
    await sleep(5_500)
    await note.delay()
    await stopping
    const next = new Worker(app, { concurrency: 1 })
    await next.start()
    for (const endMs = performance.now() + 10_000; counts.length === 0 && performance.now() < endMs;)
      await sleep(10)
    await next.stop({ hard: true })
    await app.close()

    expect(counts).toEqual([1])
  })
})
