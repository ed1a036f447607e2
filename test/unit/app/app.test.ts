import { afterEach, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'

import {
  EncodeError,
  OperationalError,
  Lovage,
  Reject,
  sharedTask,
  setDefaultApp,
  Task,
  task,
  taskOf,
  TaskError,
} from '../../../src/index.js'
import type { Message } from '../../../src/message/message.js'
import { internalsOf } from '../../../src/util/internals.js'

const apps: Lovage[] = []

function appOf(input: ConstructorParameters<typeof Lovage>[1] = {}): Lovage {
  const url = `memory://${randomUUID()}`
  const app = new Lovage('shop', { broker: url, backend: url, ...input })
  apps.push(app)
  return app
}

async function sent(app: Lovage, queue = 'celery'): Promise<readonly Message[]> {
  const broker = await internalsOf(app).broker()
  await broker.declare(internalsOf(app).queueSpec(queue))
  const consumer = await broker.consume([queue], { credit: 100, leaseMs: 30_000 })
  const deliveries = await consumer.fetch(100, { waitMs: 0, signal: new AbortController().signal })
  await consumer.ack(deliveries)
  await consumer.close()
  return deliveries.map((delivery) => delivery.message)
}

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()))
})

describe('defining a task', () => {
  it('keeps the function callable', () => {
    const add = appOf().task('tasks.add', (x: number, y: number) => x + y)

    expect([add(1, 2), add.run(1, 2), add.name]).toEqual([3, 3, 'tasks.add'])
  })

  it('names a bare function after the app', () => {
    const app = appOf()
    app.task(function add(x: number, y: number) {
      return x + y
    })

    expect([...app.tasks.keys()]).toEqual(['shop.add'])
  })

  it('refuses an anonymous function without a name', () => {
    expect(() => appOf().task((x: number) => x)).toThrow(TaskError)
  })

  it('refuses a second function under one name and names both places', () => {
    const app = appOf()
    app.task('tasks.add', () => 1)

    expect(() => app.task('tasks.add', () => 2)).toThrow(/app\.test.*app\.test/)
    expect(() => app.task({ name: 'tasks.add', replace: true }, () => 3)).not.toThrow()
  })

  it('refuses a soft time limit beyond the hard one', () => {
    expect(() => appOf().task({ name: 'a', softTimeLimit: 5, timeLimit: 3 }, () => 1)).toThrow(TaskError)
    for (const option of ['timeLimit', 'softTimeLimit', 'defaultRetryDelay', 'retryBackoffMax', 'expires'])
      expect(() => appOf().task({ name: 'a', [option]: '30s' }, () => 1)).toThrow(`${option} of a`)
  })

  it('refuses an option that does not exist, with the one that was meant', () => {
    const options = { name: 'a', maxRetires: 3 }

    expect(() => appOf().task(options, () => 1)).toThrow('did you mean "maxRetries"?')
  })

  it('takes instances of task classes', async () => {
    class Greet extends Task {
      override readonly name = 'tasks.greet'
      readonly #greeting = 'hello'
      run(whom: string): string {
        return `${this.#greeting} ${whom}`
      }
    }
    const greet = appOf().registerTask(new Greet())

    expect(greet('you')).toBe('hello you')
    expect(await (await greet.apply(['you'])).get()).toBe('hello you')
  })

  it('takes decorated methods', async () => {
    const app = appOf()
    class Mailer {
      @app.task()
      static ping(text: string): string {
        return `pong ${text}`
      }

      @app.task({ name: 'mails.send' })
      send(to: string): string {
        return `sent to ${to}`
      }
    }
    const mailer = new Mailer()

    expect([...app.tasks.keys()].sort()).toEqual(['mails.send', 'shop.Mailer.ping'])
    expect(mailer.send('a')).toBe('sent to a')
    expect(await (await taskOf(Mailer.ping).apply(['x'])).get()).toBe('pong x')
    await taskOf(mailer.send).delay('b')
    expect((await sent(app)).map((message) => message.headers['task'])).toEqual(['mails.send'])
  })
})

describe('the default app', () => {
  it('gets tasks of the module-level function', () => {
    const app = appOf()
    setDefaultApp(app)
    const add = task(function plus(x: number, y: number) {
      return x + y
    })

    expect([add(1, 2), app.tasks.has('shop.plus')]).toEqual([3, true])
  })

  it('shares shared tasks with every app, those made later too', () => {
    const before = appOf()
    const name = `shared.${randomUUID()}`
    sharedTask(name, () => 1)
    const alone = `private.${randomUUID()}`
    setDefaultApp(before)
    sharedTask({ name: alone, shared: false }, () => 1)
    const after = appOf()

    expect([before.tasks.has(name), after.tasks.has(name)]).toEqual([true, true])
    expect([before.tasks.has(alone), after.tasks.has(alone)]).toEqual([true, false])
  })
})

describe('sending', () => {
  it('publishes what the options say', async () => {
    const app = appOf()
    const add = app.task({ name: 'tasks.add', params: ['x', 'y'] }, (x: number, y: number) => x + y)

    const result = await add.applyAsync([5, 10], {
      taskId: 'id-1',
      queue: 'math',
      priority: 7,
      headers: { tenant: 'a' },
      link: add.s(16),
      linkError: { task: 'tasks.failed', args: [], kwargs: {}, options: {} },
      expires: { hours: 1 },
      timeLimit: 60,
      softTimeLimit: { seconds: 50 },
      ignoreResult: true,
      shadow: 'sum',
      argsRepr: '(secret)',
    })

    const [message] = await sent(app, 'math')
    const read = message === undefined ? undefined : internalsOf(app).readTask(message)
    expect(result.id).toBe('id-1')
    expect(read).toMatchObject({
      id: 'id-1',
      task: 'tasks.add',
      args: [5, 10],
      properties: { priority: 7, correlationId: 'id-1' },
      headers: { tenant: 'a', timelimit: [60, 50], shadow: 'sum', ignore_result: true, argsrepr: '(secret)' },
      embed: { callbacks: [{ task: 'tasks.add', args: [16] }], errbacks: [{ task: 'tasks.failed' }] },
    })
    expect(read?.expiresMs).toBeGreaterThan(Date.now() + 3_590_000)
  })

  it('sends what the call says, and what the task says where the call says nothing', async () => {
    const app = appOf()
    const options = { name: 'tasks.add', expires: { hours: 9 }, timeLimit: 90, softTimeLimit: 80 }
    const add = app.task({ ...options, ignoreResult: true }, (x: number, y: number) => x + y)

    await add.applyAsync([1, 2], { expires: 60, timeLimit: 30, softTimeLimit: 20, ignoreResult: false })
    await add.delay(1, 2)

    const [own, plain] = (await sent(app)).map((message) => internalsOf(app).readTask(message))
    const inHoursMs = Date.now() + 8 * 3_600_000
    expect(own).toMatchObject({ timeLimitMs: 30_000, softTimeLimitMs: 20_000, ignoreResult: false })
    expect(own?.expiresMs).toBeLessThan(inHoursMs)
    expect(plain).toMatchObject({ timeLimitMs: 90_000, softTimeLimitMs: 80_000, ignoreResult: true })
    expect(plain?.expiresMs).toBeGreaterThan(inHoursMs)
  })

  it('sends a list in one go, and results know their names', async () => {
    const app = appOf()
    const add = app.task('tasks.add', (x: number, y: number) => x + y)

    const results = await add.bulk([
      [1, 2],
      [3, 4],
    ])

    expect(results.map((result) => result.taskName)).toEqual(['tasks.add', 'tasks.add'])
    expect((await sent(app)).map((message) => internalsOf(app).readTask(message).args)).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it('sends by name what another code base defines', async () => {
    const app = appOf()
    await app.sendTask('python.tasks.resize', { args: ['a.png'], kwargs: { width: 100 } })

    const [message] = await sent(app)
    expect(message === undefined ? undefined : internalsOf(app).readTask(message)).toMatchObject({
      kwargs: { width: 100 },
    })
  })

  it('refuses before anything is sent what cannot be sent', async () => {
    const app = appOf()
    const add = app.task('tasks.add', (x: unknown) => x)

    await expect(add.delay(() => 1)).rejects.toBeInstanceOf(EncodeError)
    await expect(add.applyAsync([1], { countdown: 1, eta: new Date() })).rejects.toThrow('got both')
    await expect(add.applyAsync([1], { priority: 999 })).rejects.toThrow('priority')
    const misspelled = { cuontdown: 5, queue: 'celery' }
    await expect(add.applyAsync([1], misspelled)).rejects.toThrow('did you mean "countdown"?')
    expect(await sent(app)).toEqual([])
  })

  it('writes protocol 1 on request, which reads back the same', async () => {
    const app = appOf({ taskProtocol: 1 })
    await app.task('tasks.add', (x: number, y: number) => x + y).delay(1, 2)

    const [message] = await sent(app)
    expect(message?.headers).toEqual({})
    expect(message && internalsOf(app).readTask(message)).toMatchObject({
      protocol: 1,
      task: 'tasks.add',
      args: [1, 2],
    })
  })

  it('passes the functions around publishing, the first outermost', async () => {
    const app = appOf()
    const order: string[] = []
    for (const name of ['outer', 'inner']) {
      internalsOf(app).around.publish.push(async (call, next) => {
        order.push(name)
        await next(call)
      })
    }
    await app.task('tasks.one', () => 1).delay()

    expect(order).toEqual(['outer', 'inner'])
  })

  it('keeps two apps apart', async () => {
    const [one, other] = [appOf(), appOf()]
    await one.task('tasks.one', () => 1).delay()

    expect([await sent(one), await sent(other)].map((messages) => messages.length)).toEqual([1, 0])
  })
})

describe('eager mode', () => {
  it('runs delay here, without a broker', async () => {
    const app = appOf({ taskAlwaysEager: true, broker: 'memory://nobody' })
    const result = await app.task('tasks.add', (x: number, y: number) => x + y).delay(1, 2)

    expect([await result.ready(), await result.get()]).toEqual([true, 3])
  })

  it('runs retries and links at once, and keeps the error unless it is to be thrown', async () => {
    const app = appOf()
    let tries = 0
    const flaky = app.task({ name: 'tasks.flaky', autoretryFor: [Error], maxRetries: 2 }, () => {
      tries += 1
      throw new Error('again')
    })
    const seen: unknown[] = []
    const note = app.task('tasks.note', (value: unknown) => seen.push(value))
    const add = app.task('tasks.add', (x: number) => x + 1)

    const failed = await flaky.apply([])
    await add.apply([1], { link: note.s() })

    expect([tries, await failed.failed()]).toEqual([3, true])
    await expect(failed.get()).rejects.toThrow('again')
    await expect(flaky.apply([], { throw: true })).rejects.toThrow('again')
    expect(seen).toEqual([2])
  })

  it('gives the body what a worker would get', async () => {
    const app = appOf()
    const echo = app.task('tasks.echo', (value: unknown) => value)

    expect(await (await echo.apply([{ gone: undefined, kept: 1 }])).get()).toEqual({ kept: 1 })
  })

  it('knows Reject', async () => {
    const app = appOf()
    const no = app.task('tasks.no', () => {
      throw new Reject('not here')
    })

    expect(await (await no.apply([])).state()).toBe('REJECTED')
  })
})

describe('the life of an app', () => {
  it('passes its milestones once and in order, and late hooks at once', async () => {
    const app = appOf()
    const order: string[] = []
    app.onAfterFinalize(() => order.push('finalized'))
    app.onAfterConfigure(() => order.push(`configured ${internalsOf(app).config().taskDefaultQueue}`))
    app.onConfigure(() => {
      order.push('configuring')
      app.conf.taskDefaultQueue = 'work'
    })

    internalsOf(app).config()
    await internalsOf(app).loadTaskModules()
    app.finalize()
    app.onAfterFinalize(() => order.push('late'))

    expect(order).toEqual(['configuring', 'configured work', 'finalized', 'late'])
  })

  it('uses no task before finalize where autofinalize is false', async () => {
    const app = new Lovage('shop', { broker: `memory://${randomUUID()}` }, { autofinalize: false })
    const add = app.task('tasks.add', (x: number, y: number) => x + y)
    const refusal = { name: 'TaskError', message: /^the app "shop" is not finalized: call app\.finalize\(\)/ }

    await expect(add.delay(1, 2)).rejects.toMatchObject({ message: expect.stringMatching(refusal.message) })
    await expect(add.bulk([[1, 2]])).rejects.toThrow(TaskError)
    await expect(add.apply([1, 2])).rejects.toThrow(TaskError)
    expect(() => add(1, 2)).toThrow(TaskError)
    // A task of another code base is no task of this app.
    expect((await app.sendTask('tasks.elsewhere')).id).toEqual(expect.any(String))

    await internalsOf(app).loadTaskModules()

    expect(add(1, 2)).toBe(3)
    expect((await add.delay(1, 2)).id).toEqual(expect.any(String))
    await app.close()
  })

  it('confirms what was called before it closes, also what is still being prepared', async () => {
    const app = appOf()
    const add = app.task('tasks.add', (x: number) => x)

    const calls = [1, 2, 3].map((x) => add.delay(x))
    await internalsOf(app).flush()

    expect(await sent(app)).toHaveLength(3)
    await Promise.all(calls)
  })

  it('refuses a body that is longer than maxMessageBytes', async () => {
    const app = appOf({ maxMessageBytes: 1024 })
    await app.task('tasks.echo', (text: string) => text).delay('x'.repeat(2000))

    const [message] = await sent(app)
    expect(() => message && internalsOf(app).readTask(message)).toThrow('maxMessageBytes')
  })

  it('says in the words of Celery that the broker cannot be reached', () => {
    const add = appOf().task('tasks.add', (x: number) => x)

    expect(add.OperationalError).toBe(OperationalError)
  })
})
