import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import type { Message } from '../../../src/message/message.js'
import { ManualClock } from '../../support/manual-clock.js'
import { Bench, turns } from './harness.js'
import { internalsOf } from '../../../src/util/internals.js'

async function publish(bench: Bench, message: Partial<Message>): Promise<void> {
  const broker = await bench.broker()
  await broker.declare(internalsOf(bench.app).queueSpec('celery'))
  await broker.publish([
    {
      route: { exchange: '', routingKey: 'celery' },
      message: {
        body: new TextEncoder().encode('[[], {}, {}]'),
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        headers: {},
        properties: {},
        ...message,
      },
    },
  ])
}

async function dead(bench: Bench): Promise<Message> {
  const [letter] = await eventually(async () => {
    const found = await bench.take('celery.dead')
    return found.length > 0 ? found : undefined
  })
  if (letter === undefined) throw new RangeError('no letter')
  return letter.message
}

describe('what a worker does not run', () => {
  it('sets a task aside whose definition cannot be read any more, and goes on claiming', async () => {
    await using bench = new Bench()
    let isBroken = false
    const toMillis = (): number => {
      if (isBroken) throw new RangeError('no length of time')
      return 1000
    }
    bench.app.task({ name: 'tasks.odd', timeLimit: { toMillis } }, () => 1)
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    isBroken = true
    await bench.start({ concurrency: 1, prefetchMultiplier: 1 })

    await publish(bench, { headers: { id: 'odd-1', task: 'tasks.odd' } })
    const letter = await dead(bench)

    expect(letter.headers['lovage-dead-detail']).toContain('no length of time')
    expect((await bench.record('odd-1', 'FAILURE')).result).toMatchObject({ exc_type: 'ValueError' })
    expect(await (await add.delay(1, 1)).get(5)).toBe(2)
  })

  it('sets a body that cannot be decoded aside, stores FAILURE and lives on', async () => {
    await using bench = new Bench()
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    await bench.start()

    await publish(bench, {
      body: new TextEncoder().encode('{nonsense'),
      headers: { id: 'broken-1', task: 'tasks.add' },
    })
    const letter = await dead(bench)

    expect(letter.headers['lovage-dead-reason']).toBe('unreadable')
    expect(new TextDecoder().decode(letter.body)).toBe('{nonsense')
    expect((await bench.record('broken-1', 'FAILURE')).result).toMatchObject({ exc_type: 'DecodeError' })
    expect(await (await add.delay(1, 1)).get(5)).toBe(2)
  })

  it('never reads pickle', async () => {
    await using bench = new Bench()
    await bench.start()

    await publish(bench, {
      contentType: 'application/x-python-serialize',
      contentEncoding: 'binary',
      headers: { id: 'pickled-1', task: 'tasks.add' },
    })
    const letter = await dead(bench)

    expect(letter.contentType).toBe('application/x-python-serialize')
    expect((await bench.record('pickled-1', 'FAILURE')).result).toMatchObject({
      exc_type: 'ContentDisallowedError',
    })
  })

  it('sets a message without an id or a task aside, with no result to store', async () => {
    await using bench = new Bench()
    await bench.start()

    await publish(bench, { headers: { lang: 'py' } })

    expect((await dead(bench)).headers['lovage-dead-reason']).toBe('unreadable')
  })

  it('keeps a dead letter as long as the settings say, and not as its sender did', async () => {
    await using bench = new Bench({ deadLetterExpires: { hours: 2 } })
    await bench.start()

    await publish(bench, { headers: { id: 'x' }, properties: { expirationMs: 60_000, priority: 3 } })

    const { headers, properties } = await dead(bench)
    expect(properties).toEqual({ expirationMs: 7_200_000, persistent: true })
    expect(headers['lovage-dead-priority']).toBe(3)
  })

  it('sets a member of a chord aside by name', async () => {
    await using bench = new Bench()
    bench.app.task('tasks.add', (x: number, y: number) => x + y)
    await bench.start()
    const chord = { task: 'tasks.sum', args: [], kwargs: {}, options: {} }
    const embed = { callbacks: null, errbacks: null, chain: null, chord }

    await publish(bench, {
      body: new TextEncoder().encode(JSON.stringify([[1, 2], {}, embed])),
      headers: { id: 'in-chord', task: 'tasks.add' },
    })

    expect((await dead(bench)).headers['lovage-dead-detail']).toContain('chords are not supported yet')
    expect((await bench.record('in-chord', 'FAILURE')).state).toBe('FAILURE')
  })

  it('revokes an expired task without running it', async () => {
    await using bench = new Bench()
    let runs = 0
    bench.app.task('tasks.late', () => {
      runs += 1
    })
    await bench.start()

    await publish(bench, {
      body: new TextEncoder().encode(
        '[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
      ),
      headers: { id: 'late-1', task: 'tasks.late', expires: '2026-01-01T00:00:00+00:00' },
    })
    const record = await bench.record('late-1', 'REVOKED')

    expect(record.result).toMatchObject({ exc_type: 'TaskRevokedError', exc_message: ['expired'] })
    expect(runs).toBe(0)
    expect(await bench.depth()).toBe(0)
  })

  it('parks a foreign message whose eta has not come, unspent, and runs it when it is due', async () => {
    const clock = new ManualClock(Date.now())
    await using bench = new Bench({}, clock)
    const counts: number[] = []
    const later = bench.app.task({ name: 'tasks.later', bind: true }, (self) => {
      counts.push(self.request.deliveryInfo.deliveryCount)
    })
    await bench.start()

    const result = await later.applyAsync([], { countdown: 60, delay: 'eta' })
    await eventually(async () => bench.log.find(/waits in its queue until it is due/))
    clock.advance(59_000)
    expect(counts).toEqual([])
    clock.advance(2_000)
    await bench.record(result.id, 'SUCCESS')

    expect(counts).toEqual([1])
  })

  it('gives an unknown name back, unspent, with delays that grow from 1 s', async () => {
    const clock = new ManualClock(Date.now())
    await using bench = new Bench({}, clock)
    const worker = await bench.start()
    await bench.app.sendTask('tasks.new')

    const delays: unknown[] = []
    for (let step = 0; step < 7; step += 1) {
      await eventually(() =>
        bench.log.lines.filter((line) => line.message.includes('unregistered')).length > step
          ? true
          : undefined,
      )
      const last = bench.log.lines.findLast((line) => line.message.includes('unregistered'))
      delays.push(last?.fields['delayMs'])
      await eventually(() => (worker.status.running === 0 ? true : undefined))
      await turns()
      clock.advance(60_000)
    }

    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000])
  })

  it('runs a task that was unknown as soon as it is known', async () => {
    const clock = new ManualClock(Date.now())
    await using bench = new Bench({}, clock)
    await bench.start()
    const result = await bench.app.sendTask<number>('tasks.new', { args: [1] })
    await eventually(() => bench.log.find(/unregistered/))

    const counts: number[] = []
    bench.app.task({ name: 'tasks.new', bind: true }, (self, value: number) => {
      counts.push(self.request.deliveryInfo.deliveryCount)
      return value
    })
    await turns()
    clock.advance(2_000)

    expect((await bench.record(result.id, 'SUCCESS')).result).toBe(1)
    expect(counts).toEqual([1])
  })

  it('gives up on an unknown name after unknownTaskTimeout: dead letter and FAILURE NotRegistered', async () => {
    const clock = new ManualClock(Date.now())
    await using bench = new Bench({ unknownTaskTimeout: 10 }, clock)
    await bench.start()
    const result = await bench.app.sendTask('tasks.new')

    const record = await eventually(async () => {
      clock.advance(100)
      return bench.recordNow(result.id)
    })
    const letter = await dead(bench)

    expect(record.result).toEqual({
      exc_type: 'NotRegistered',
      exc_message: ['tasks.new'],
      exc_module: 'celery.exceptions',
    })
    expect(record.traceback).toBeUndefined()
    // After 1, 2, 4 and 8 seconds: the time counts from the first delivery, not from the last.
    expect(bench.log.lines.filter((line) => line.message.includes('unregistered')).length).toBeLessThan(5)
    expect(letter.headers['lovage-dead-reason']).toBe('not-registered')
    expect(Object.keys(letter.headers).filter((name) => name.startsWith('lovage-unknown'))).toEqual([])
  })

  it('sets a message aside unread after maxDeliveries', async () => {
    await using bench = new Bench({ maxDeliveries: 2 })
    let runs = 0
    const again = bench.app.task({ name: 'tasks.again', bind: true }, async (self) => {
      runs += 1
      // What a killed worker looks like to the store: the claim is spent and the message is back.
      const { Reject } = await import('../../../src/index.js')
      throw new Reject(`delivery ${self.request.deliveryInfo.deliveryCount}`, true)
    })
    await bench.start()

    const result = await again.delay()
    const record = await bench.record(result.id, 'FAILURE')

    expect(runs).toBe(2)
    expect(record.result).toMatchObject({ exc_type: 'WorkerLostError', exc_module: 'billiard.exceptions' })
    expect((await dead(bench)).headers).toMatchObject({
      'lovage-dead-reason': 'worker-lost',
      'lovage-dead-deliveries': 3,
    })
  })
})
