import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import {
  BrokerConnectionError,
  BrokerError,
  Ignore,
  Reject,
  signature,
  type TaskRequest,
} from '../../../src/index.js'
import { Bench, gate } from './harness.js'
import { internalsOf } from '../../../src/util/internals.js'

class GatewayError extends Error {}

describe('a worker and the outcomes of tasks', () => {
  it('runs a task and stores SUCCESS', async () => {
    await using bench = new Bench()
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    await bench.start()

    const result = await add.delay(2, 3)

    expect(await result.get(5)).toBe(5)
    expect(await bench.recordNow(result.id)).toMatchObject({ state: 'SUCCESS', result: 5, children: [] })
  })

  it('logs in the words of Celery, with the facts as fields', async () => {
    await using bench = new Bench()
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    await bench.start()

    const result = await add.delay(2, 3)
    await result.get(5)

    const fields = { task: 'tasks.add', id: result.id, queue: 'celery' }
    expect(bench.log.find(/^Task tasks\.add\[.+\] received$/)).toMatchObject({ level: 'info', fields })
    expect(bench.log.find(/^Task tasks\.add\[.+\] succeeded in [\d.]+s: 5$/)).toMatchObject({
      level: 'info',
      fields,
    })
  })

  it('stores FAILURE with the error, its traceback and an error line', async () => {
    await using bench = new Bench()
    const fail = bench.app.task('tasks.fail', () => {
      throw new GatewayError('no answer')
    })
    await bench.start()

    const result = await fail.delay()
    const record = await bench.record(result.id, 'FAILURE')

    expect(record.result).toMatchObject({ exc_type: 'GatewayError', exc_message: ['no answer'] })
    expect(record.traceback).toContain('no answer')
    expect(bench.log.find(/raised unexpected: GatewayError/)).toMatchObject({ level: 'error' })
  })

  it('fails a task whose retry asks for a priority that the broker does not have', async () => {
    await using bench = new Bench()
    const again = bench.app.task({ name: 'tasks.again', bind: true }, (self): never => {
      throw self.retry({ countdown: 0, priority: 10 })
    })
    await bench.start()

    const result = await again.delay()

    await expect(result.get(5)).rejects.toThrow('expected the priority of tasks.again to be 0 to 9')
  })

  it('calls an errback that takes request, error and traceback here, and sends others the id', async () => {
    await using bench = new Bench()
    const { app } = bench
    const calls: unknown[][] = []
    const note =
      (name: string) =>
      (...args: unknown[]): void =>
        void calls.push([name, ...args])
    const fail = app.task('tasks.fail', () => {
      throw new GatewayError('no answer')
    })
    const full = note('full')
    const pair = note('pair')
    const one = note('one')
    app.task('tasks.full', (request: TaskRequest, error: unknown, traceback: unknown, place: unknown) => {
      full(request.id, error, traceback, place)
    })
    app.task('tasks.pair', (request: TaskRequest, error: unknown) => {
      pair(request.id, error)
    })
    app.task('tasks.broken', (_request: unknown, _error: unknown) => {
      throw new RangeError('the errback is broken')
    })
    app.task('tasks.one', (id: unknown) => {
      one(id)
    })
    app.task('tasks.two', (id: unknown, label: unknown) => {
      one(id, label)
    })
    await bench.start()

    const linkError = [
      signature('tasks.broken'),
      signature('tasks.full', { args: ['here'] }),
      signature('tasks.pair'),
      signature('tasks.one'),
      signature('tasks.two', { args: ['label'] }),
    ]
    const { id } = await fail.applyAsync([], { linkError })
    await bench.record(id, 'FAILURE')
    await eventually(() => (calls.length === 4 ? calls : undefined))

    const error = new GatewayError('no answer')
    expect(calls.slice(0, 2)).toEqual([
      ['full', id, error, expect.stringContaining('GatewayError: no answer'), 'here'],
      ['pair', id, error],
    ])
    expect(calls.slice(2)).toEqual(
      expect.arrayContaining([
        ['one', id],
        ['one', id, 'label'],
      ]),
    )
    expect(bench.log.find(/An errback of tasks\.fail.* failed: .*the errback is broken/)).toBeDefined()
  })

  it('logs an expected error at info, without a stack', async () => {
    await using bench = new Bench()
    const fail = bench.app.task({ name: 'tasks.fail', throws: [GatewayError] }, () => {
      throw new GatewayError('no answer')
    })
    await bench.start()

    await bench.record((await fail.delay()).id, 'FAILURE')

    const line = bench.log.find(/raised expected/)
    expect(line?.level).toBe('info')
    expect(JSON.stringify(line)).not.toContain('    at ')
  })

  it('retries with the same id until it succeeds', async () => {
    await using bench = new Bench()
    const tries: number[] = []
    const flaky = bench.app.task({ name: 'tasks.flaky', bind: true }, (self) => {
      tries.push(self.request.retries)
      if (tries.length < 3) throw self.retry({ countdown: 0, exc: new GatewayError('later') })
      return 'done'
    })
    await bench.start()

    const result = await flaky.delay()

    expect(await result.get(5)).toBe('done')
    expect(tries).toEqual([0, 1, 2])
  })

  it('stores RETRY with the cause while the next try waits', async () => {
    await using bench = new Bench()
    const flaky = bench.app.task({ name: 'tasks.flaky', bind: true }, (self) => {
      throw self.retry({ countdown: 60, exc: new GatewayError('later') })
    })
    await bench.start()

    const record = await bench.record((await flaky.delay()).id, 'RETRY')

    expect(record.result).toMatchObject({ exc_type: 'GatewayError', exc_message: ['later'] })
    expect(record.doneAtMs).toBeUndefined()
    expect(await bench.depth()).toBe(0)
  })

  it('stores nothing for an ignored task and acknowledges it', async () => {
    await using bench = new Bench()
    const ran = gate()
    const skip = bench.app.task('tasks.skip', () => {
      ran.open()
      throw new Ignore('not today')
    })
    const worker = await bench.start()

    const result = await skip.delay()
    await ran.passed
    await worker.stop()

    expect(await bench.recordNow(result.id)).toBeUndefined()
    expect(await bench.depth()).toBe(0)
  })

  it('sets a rejected message aside and stores FAILURE of type Reject', async () => {
    await using bench = new Bench()
    const refuse = bench.app.task('tasks.refuse', () => {
      throw new Reject('no such order')
    })
    await bench.start()

    const result = await refuse.delay()
    const record = await bench.record(result.id, 'FAILURE')
    const [letter] = await eventually(async () => {
      const found = await bench.take('celery.dead')
      return found.length > 0 ? found : undefined
    })

    expect(record.result).toEqual({
      exc_type: 'Reject',
      exc_message: ['no such order', false],
      exc_module: 'celery.exceptions',
    })
    expect(letter?.message.headers).toMatchObject({
      id: result.id,
      'lovage-dead-reason': 'rejected',
      'lovage-dead-queue': 'celery',
      'lovage-dead-deliveries': 1,
    })
  })

  it('delivers a requeued message again, and counts that delivery', async () => {
    await using bench = new Bench()
    const counts: number[] = []
    const again = bench.app.task({ name: 'tasks.again', bind: true }, (self) => {
      counts.push(self.request.deliveryInfo.deliveryCount)
      if (counts.length < 3) throw new Reject('not yet', true)
      return counts.length
    })
    await bench.start()

    const result = await again.delay()

    expect(await result.get(5)).toBe(3)
    expect(counts).toEqual([1, 2, 3])
  })

  it('keeps the message of a failed task aside when acksOnFailure is off', async () => {
    await using bench = new Bench()
    const fail = bench.app.task({ name: 'tasks.fail', acksOnFailure: false }, () => {
      throw new GatewayError('no answer')
    })
    await bench.start()

    const result = await fail.delay()
    await bench.record(result.id, 'FAILURE')
    const letters = await bench.take('celery.dead')

    expect(letters.map((letter) => letter.message.headers['lovage-dead-reason'])).toEqual(['failed'])
  })

  it('turns a return value that cannot be encoded into FAILURE', async () => {
    await using bench = new Bench()
    const broken = bench.app.task('tasks.broken', () => ({ socket: Symbol('open') }))
    await bench.start()

    const record = await bench.record((await broken.delay()).id, 'FAILURE')

    expect(record.result).toMatchObject({ exc_type: 'EncodeError' })
  })

  it('stores no result when it is ignored, but the failure when asked to', async () => {
    await using bench = new Bench()
    const quiet = bench.app.task({ name: 'tasks.quiet', ignoreResult: true }, () => 1)
    const loud = bench.app.task(
      { name: 'tasks.loud', ignoreResult: true, storeErrorsEvenIfIgnored: true },
      () => {
        throw new GatewayError('no answer')
      },
    )
    const worker = await bench.start()

    const [first, second] = [await quiet.delay(), await loud.delay()]
    await bench.record(second.id, 'FAILURE')
    await worker.stop()

    expect(await bench.recordNow(first.id)).toBeUndefined()
  })

  it('stores STARTED with process and worker before the body runs', async () => {
    await using bench = new Bench()
    const may = gate()
    const slow = bench.app.task({ name: 'tasks.slow', trackStarted: true }, async () => {
      await may.passed
    })
    const worker = await bench.start({ hostname: 'one@%h' })

    const record = await bench.record((await slow.delay()).id, 'STARTED')
    may.open()

    expect(record.result).toEqual({ pid: process.pid, hostname: worker.hostname })
  })

  it('stores states of the body own, and the final one after them', async () => {
    await using bench = new Bench()
    const may = gate()
    const slow = bench.app.task({ name: 'tasks.slow', bind: true }, async (self) => {
      await self.updateState({ state: 'PROGRESS', meta: { done: 1, of: 2 } })
      await may.passed
      return 'end'
    })
    await bench.start()

    const result = await slow.delay()
    const record = await bench.record(result.id, 'PROGRESS')
    may.open()

    expect(record.result).toEqual({ done: 1, of: 2 })
    expect(await result.get(5)).toBe('end')
  })

  it('calls handlers after the result was stored', async () => {
    await using bench = new Bench()
    const seen = gate<string | undefined>()
    const add = bench.app.task(
      {
        name: 'tasks.add',
        onSuccess: async (event) => {
          seen.open((await bench.recordNow(event.request.id))?.state)
        },
      },
      (x: number, y: number) => x + y,
    )
    await bench.start()

    await add.delay(1, 2)

    expect(await seen.passed).toBe('SUCCESS')
  })

  it('sends callbacks with the value, and lists them as children', async () => {
    await using bench = new Bench()
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    const told = gate<number>()
    const tell = bench.app.task('tasks.tell', (value: number) => {
      told.open(value)
    })
    await bench.start()

    const result = await add.applyAsync([2, 3], { link: tell.s() })

    expect(await told.passed).toBe(5)
    expect((await bench.record(result.id, 'SUCCESS')).children).toHaveLength(1)
  })

  it('acknowledges before the run where acksLate is off', async () => {
    await using bench = new Bench()
    const depth = gate<number>()
    const early = bench.app.task({ name: 'tasks.early', acksLate: false }, async () => {
      const others = await bench.take()
      depth.open(others.length)
      return 'ran'
    })
    const worker = await bench.start()

    const result = await early.delay()

    expect(await depth.passed).toBe(0)
    expect(await result.get(5)).toBe('ran')
    await worker.stop()
    expect(await bench.depth()).toBe(0)
  })

  it('does not run a body whose early acknowledgement was refused', async () => {
    await using bench = new Bench()
    let runs = 0
    const early = bench.app.task({ name: 'tasks.early', acksLate: false }, () => {
      runs += 1
    })
    const handedBack = gate()
    const open = internalsOf(bench.app).openBroker.bind(internalsOf(bench.app))
    internalsOf(bench.app).openBroker = async () => {
      const broker = await open()
      const consume = broker.consume.bind(broker)
      broker.consume = async (queues, options) => {
        const consumer = await consume(queues, options)
        const settle = consumer.settle?.bind(consumer)
        consumer.settle = async (settlements) => {
          if (settlements.some((one) => one.handBack === undefined)) throw new BrokerError('refused')
          const lost = (await settle?.(settlements)) ?? []
          handedBack.open()
          return lost
        }
        return consumer
      }
      return broker
    }
    const worker = await bench.start()

    await early.delay()
    await handedBack.passed
    await worker.stop()

    expect(runs).toBe(0)
    expect(worker.status.running).toBe(0)
  })

  it('keeps a task that ended as it ended while the store of what follows is away', async () => {
    await using bench = new Bench()
    const told = gate<number>()
    const may = gate()
    const add = bench.app.task('tasks.add', async (x: number, y: number) => {
      await may.passed
      return x + y
    })
    const tell = bench.app.task('tasks.tell', (sum: number) => told.open(sum))
    const { sender } = internalsOf(bench.app)
    const prepare = sender.prepare.bind(sender)
    let refusals = 0
    await bench.start()
    const result = await add.applyAsync([2, 3], { link: tell.s() })
    sender.prepare = async (next) => {
      refusals += 1
      if (refusals < 3) throw new BrokerConnectionError('the store is away')
      return prepare(next)
    }
    may.open()

    expect(await told.passed).toBe(5)
    expect(await result.get(5)).toBe(5)
    expect(refusals).toBe(3)
  })
})
