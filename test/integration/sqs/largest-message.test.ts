import { inflateSync } from 'node:zlib'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { Lovage, Reject } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { PublishError } from '../../../src/errors/errors.js'
import { deadLetterQueueSpec } from '../../../src/control/dead-letter.js'
import { never } from '../../conformance/time.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(90_000)

const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** The greatest length that fits, between one that does and one that does not. */
async function longest(
  [fitting, exceeding]: readonly [number, number],
  fits: (length: number) => Promise<boolean>,
): Promise<number> {
  if (exceeding - fitting <= 1) return fitting
  const middle = Math.floor((fitting + exceeding) / 2)
  const half = (await fits(middle)) ? ([middle, exceeding] as const) : ([fitting, middle] as const)
  return longest(half, fits)
}

const url = serviceUrl('sqs')
const itHere = url === undefined ? it.skip : it

describe('a message on SQS that is as large as it may be', () => {
  itHere('is run once and set aside, compressed, with the reason of its task', async () => {
    const queue = randomName('queue')
    const app = new Lovage('shop', { broker: url ?? '', backend: 'memory://', taskDefaultQueue: queue })
    closers.push(() => app.close())
    let runs = 0
    const task = app.task('tasks.no', (_text: string) => {
      runs += 1
      throw new Reject('not today')
    })
    const broker = await internalsOf(app).openBroker()
    closers.push(() => broker.close())
    const length = await longest([0, 2 ** 20], async (tried) => {
      try {
        await task.delay('x'.repeat(tried))
        return true
      } catch (error) {
        if (error instanceof PublishError) return false
        throw error
      } finally {
        await broker.purge(queue)
      }
    })
    await task.delay('x'.repeat(length))
    await broker.declare(deadLetterQueueSpec(queue))
    const consumer = await broker.consume([`${queue}.dead`], { credit: 1, leaseMs: 30_000 })
    const worker = await startWorker(app)

    const [letter] = await consumer.fetch(1, { waitMs: 60_000, signal: never })
    await worker.stop()

    expect(letter?.message.headers).toMatchObject({
      'lovage-dead-reason': 'rejected',
      'lovage-dead-detail': 'Reject: not today',
      compression: 'application/x-gzip',
    })
    const [args]: unknown[][] = JSON.parse(inflateSync(letter?.message.body ?? '').toString())
    expect(args?.[0] === 'x'.repeat(length)).toBe(true)
    expect(await broker.depth(queue)).toBe(0)
    expect(runs).toBe(1)
  })
})
