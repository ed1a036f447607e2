import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { deadLetterQueueSpec } from '../../../src/control/dead-letter.js'
import { Lovage, Reject } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { eventually, never } from '../../conformance/time.js'
import { canStartRedis, RedisServer } from '../../support/redis-server.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

const MIB = 2 ** 20
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Stage {
  readonly app: Lovage
  readonly keys: Redis
}

/** An app on a server of its own; `results` on the same server in another place, or where the queues are. */
async function open(
  results: 'with the queues' | 'in a database of their own',
  ...options: string[]
): Promise<Stage> {
  const own = await RedisServer.start(...options)
  closers.push(() => own[Symbol.asyncDispose]())
  const backend = results === 'with the queues' ? own.url : own.url.replace(/0$/, '1')
  const app = new Lovage('shop', { broker: own.url, backend, publishTimeout: 10 })
  closers.push(() => app.close())
  const keys = new Redis(own.url)
  closers.push(async () => keys.disconnect())
  return { app, keys }
}

const withOwn = canStartRedis()
  ? describe.each(['with the queues', 'in a database of their own'] as const)
  : describe.skip.each(['with the queues'] as const)

withOwn('a result that Redis refuses, results %s', (results) => {
  it('for the account may not write it: its message is set aside after one run', async () => {
    const { app, keys } = await open(results)
    let runs = 0
    const task = app.task('tasks.any', () => (runs += 1))
    const broker = await internalsOf(app).openBroker()
    closers.push(() => broker.close())
    await broker.declare(deadLetterQueueSpec('celery'))
    const consumer = await broker.consume(['celery.dead'], { credit: 1, leaseMs: 30_000 })
    await keys.call(
      'ACL',
      'SETUSER',
      'default',
      'resetkeys',
      '%R~*',
      '~_lovage*',
      '~_kombu*',
      '~unacked*',
      '~celery',
      '~celery.dead*',
    )
    const worker = await startWorker(app)

    const { id } = await task.delay()
    const [letter] = await consumer.fetch(1, { waitMs: 30_000, signal: never })
    await worker.stop()

    expect(letter?.message.headers).toMatchObject({
      id,
      'lovage-dead-reason': 'refused',
      'lovage-dead-detail': expect.stringMatching(
        /^its result could not be stored: .*(NOPERM|permission|access)/,
      ),
    })
    expect(await broker.depth('celery')).toBe(0)
    expect(runs).toBe(1)
  })

  it('for its length is a failure that says so after one run', async () => {
    const { app } = await open(results, '--proto-max-bulk-len', '1mb')
    let runs = 0
    const task = app.task('tasks.long', (length: number) => {
      runs += 1
      return 'x'.repeat(length)
    })
    const worker = await startWorker(app)

    const [long, short] = await Promise.all([task.delay(8 * MIB), task.delay(1)])

    await expect(long.get(30)).rejects.toThrow(/invalid bulk length|too long|proto-max-bulk-len/)
    expect(await short.get(30)).toBe('x')
    expect(runs).toBe(2)
    await worker.stop()
  })
})

const withServer = canStartRedis() ? describe : describe.skip

withServer('a message that is longer than Redis takes', () => {
  it('is an error at the call, which no other call suffers from', async () => {
    const { app } = await open('with the queues', '--proto-max-bulk-len', '1mb')
    const task = app.task('tasks.any', (_text: string) => 1)
    await task.delay('first')

    const sent = await Promise.allSettled([task.delay('a'), task.delay('x'.repeat(8 * MIB)), task.delay('b')])

    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(sent[1]).toMatchObject({ reason: { code: 'LOVAGE_PUBLISH', retryable: false } })
  })
})

withServer('a server whose memory is full', () => {
  it('gets the result of the one run when it has room again', async () => {
    const { app, keys } = await open('with the queues')
    let runs = 0
    const task = app.task('tasks.no', async () => {
      runs += 1
      await keys.config('SET', 'maxmemory', '1')
      throw new Reject('no')
    })
    const worker = await startWorker(app)
    const result = await task.delay()
    await eventually(async () => (await keys.info('errorstats')).includes('errorstat_OOM'))

    await keys.config('SET', 'maxmemory', '0')

    await expect(result.get(30)).rejects.toThrow(/no/)
    expect(runs).toBe(1)
    await worker.stop()
  })
})
