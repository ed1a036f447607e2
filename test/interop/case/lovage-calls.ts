import { randomUUID } from 'node:crypto'
import { expect } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { TaskFailedError, TaskRevokedError } from '../../../src/index.js'
import {
  Decimal,
  PlainDate,
  PlainTime,
  Uuid,
  WireDate,
} from '../../../src/message/serializer/typed-values.js'
import { interopApp, NotEnough } from '../fixture/interop-app.js'
import { calledBy, type InteropCase } from '../support/interop-case.js'
import { randomName } from '../support/stage.js'
import { sentWith } from '../support/sent-message.js'

const WAIT = 20

/** A Lovage client calls a worker of Celery and reads the result. */
export const lovageCalls: readonly InteropCase[] = calledBy('Lovage', [
  {
    feature: 'positional arguments',
    title: 'a Lovage client calls a Python worker and reads the result',
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.add', { args: [2, 3] })
      expect(await result.get(WAIT)).toBe(5)
      expect(await result.state()).toBe('SUCCESS')
    },
  },
  {
    feature: 'keyword arguments',
    title: "Lovage's keyword arguments reach Python's parameters",
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.add', { args: [1], kwargs: { y: 41 } })
      expect(await result.get(WAIT)).toBe(42)
    },
  },
  {
    feature: 'special values: datetime, date, time, Decimal, UUID, bytes',
    title: "Lovage's special values arrive as Python's types and come back as they went",
    run: async ({ app }) => {
      const values = [
        new Date('2024-02-29T12:30:45.123Z'),
        new WireDate(Date.parse('2024-02-29T12:30:45.123Z'), '2024-02-29T12:30:45.123456+00:00'),
        new PlainDate('2024-02-29'),
        new PlainTime('01:02:03.000004'),
        new Decimal('0.10'),
        new Uuid('12345678-1234-5678-1234-567812345678'),
        Buffer.from('grüß'),
        Buffer.from([255, 0, 254]),
      ]
      const described = await app.sendTask('py.describe', { args: values, kwargs: { when: values[0] } })
      const [args, kwargs] = (await described.get(WAIT)) as [[string, string][], unknown]
      expect(args.map(([type]) => type)).toEqual([
        ...['datetime', 'datetime', 'date', 'time', 'Decimal', 'UUID', 'bytes', 'bytes'],
      ])
      expect(args[1]?.[1]).toBe(
        'datetime.datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=datetime.timezone.utc)',
      )
      expect(args[4]?.[1]).toBe("Decimal('0.10')")
      expect(kwargs).toMatchObject({ when: ['datetime', expect.stringContaining('123000')] })
      const echoed = await app.sendTask('py.echo', { args: [values] })
      const back = (await echoed.get(WAIT)) as unknown[]
      expect(back.map(String)).toEqual(values.map(String))
      expect(back.map((value) => value?.constructor.name)).toEqual([
        ...['WireDate', 'WireDate', 'PlainDate', 'PlainTime', 'Decimal', 'Uuid', 'Buffer', 'Buffer'],
      ])
    },
  },
  {
    feature: 'special values: datetime, date, time, Decimal, UUID, bytes',
    title:
      'special values of Lovage reach Celery 5.2 as objects of type and value, and come back as they went',
    only52: true,
    run: async ({ app }) => {
      const values = [new Date('2024-02-29T12:30:45.123Z'), new Decimal('0.10'), Buffer.from('x')]
      const described = await app.sendTask('py.describe', { args: values })
      const [args] = (await described.get(WAIT)) as [[string, string][]]
      expect(args.map(([type]) => type)).toEqual(['dict', 'dict', 'dict'])
      const echoed = await app.sendTask('py.echo', { args: [values] })
      expect(((await echoed.get(WAIT)) as unknown[]).map(String)).toEqual(values.map(String))
    },
  },
  {
    feature: 'plain values, Unicode, big integers',
    title: "Lovage's plain values come back equal, Unicode and bigints included",
    since52: true,
    run: async ({ app }) => {
      const values = [
        ...[null, true, false, 0, -1, 1.5, 1e300, 5e-324, Number.MAX_SAFE_INTEGER],
        ...[2n ** 53n + 1n, -(2n ** 70n), '', 'größe 値 🎉 \u2028', [], {}, [[[]]]],
        { a: { b: [null] }, ключ: 'x' },
      ]
      const result = await app.sendTask('py.echo', { args: [values] })
      expect(await result.get(WAIT)).toEqual(values)
    },
  },
  {
    feature: 'payloads of 1 MiB',
    title: 'a payload of 1 MiB goes from Lovage to Python and back',
    since52: true,
    notOn: {
      'SQS with Redis': 'the service takes messages of 256 KiB, on newer queues of 1 MiB, encoded twice',
    },
    run: async ({ app }) => {
      const text = 'ä'.repeat(2 ** 19)
      const [echo, size] = await Promise.all([
        app.sendTask('py.echo', { args: [text] }),
        app.sendTask('py.size', { args: [text] }),
      ])
      expect((await echo.get(WAIT)) === text).toBe(true)
      expect(await size.get(WAIT)).toBe(2 ** 19)
    },
  },
  {
    feature: 'countdown and eta',
    title: "Lovage's countdown and eta are kept by Python's worker",
    since52: true,
    run: async ({ app }) => {
      const began = Date.now() / 1000
      const past = await app.sendTask('py.when', { eta: new Date(Date.now() - 3_600_000) })
      const later = await app.sendTask('py.when', { countdown: 1 })
      const due = await app.sendTask('py.when', { eta: new Date(Date.now() + 1_200) })
      expect(Number(await past.get(WAIT)) - began).toBeLessThan(10)
      expect(Number(await later.get(WAIT)) - began).toBeGreaterThanOrEqual(0.99)
      expect(Number(await due.get(WAIT)) - began).toBeGreaterThanOrEqual(1.19)
    },
  },
  {
    feature: 'expires',
    title: 'a task of Lovage that expired is REVOKED by Python and does not run',
    since52: true,
    notOn: {
      'RabbitMQ with rpc': 'the server drops the message at that moment, as it does for Celery',
      'RabbitMQ with Redis': 'the server drops the message at that moment, as it does for Celery',
    },
    run: async (stage) => {
      const path = stage.path()
      const late = await stage.app.sendTask('py.note', {
        args: [1, path],
        expires: new Date(Date.now() - 5_000),
      })
      const timely = await stage.app.sendTask('py.add', { args: [1, 1], expires: 60 })
      expect(await timely.get(WAIT)).toBe(2)
      await expect(late.get(WAIT)).rejects.toBeInstanceOf(TaskRevokedError)
      expect(await late.state()).toBe('REVOKED')
      expect(await stage.lines(path, 0)).toEqual([])
    },
  },
  {
    feature: 'expires before eta',
    title: 'a task of Lovage that expires while Python holds it for its eta is REVOKED and does not run',
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const late = await stage.app.sendTask('py.note', {
        args: [1, path],
        eta: new Date(Date.now() + 1_500),
        expires: 0.7,
      })
      await expect(late.get(WAIT)).rejects.toBeInstanceOf(TaskRevokedError)
      expect(await stage.lines(path, 0)).toEqual([])
    },
  },
  {
    feature: 'priority',
    title: "a Python task sees the priority of Lovage's message",
    since52: true,
    notOn: { 'SQS with Redis': 'the service has no priorities: a call with one is refused' },
    run: async ({ app }) => {
      for (const priority of [0, 4, 9]) {
        const result = await app.sendTask('py.request', { priority })
        expect(await result.get(WAIT)).toMatchObject({ priority })
      }
    },
  },
  {
    feature: 'retries',
    title: "a retry of Python's task keeps its id, and Lovage reads the last result",
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.retry', { args: [2] })
      expect(await result.get(WAIT)).toBe(2)
      const gaveUp = await app.sendTask('py.give_up', { args: ['nothing left'] })
      await expect(gaveUp.get(WAIT)).rejects.toMatchObject({
        remote: { type: 'ValueError', args: ['nothing left'] },
      })
    },
  },
  {
    feature: 'RETRY with its cause',
    title: "Lovage sees RETRY and its cause while Python's task waits for the next try",
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.retry_later', { args: ['not yet'] })
      await eventually(async () => (await result.state()) === 'RETRY', WAIT * 1000)
      expect(await result.info()).toMatchObject({ remote: { type: 'ValueError', args: ['not yet'] } })
      expect(await result.traceback()).toContain('raise self.retry(exc=ValueError(text)')
      expect(await result.get(WAIT)).toBe('ready')
    },
  },
  {
    feature: 'extended results',
    title: "Lovage reads name, arguments, worker, retries and queue of Python's results",
    notOn: { MongoDB: 'Celery stores the arguments there as BSON, and fails on what BSON has not' },
    run: async ({ app, settings }) => {
      const result = await app.sendTask('py.add', { args: [1], kwargs: { y: 2 } })
      await result.get(WAIT)
      const found = app.AsyncResult(result.id)
      const same = settings.backend === 'rpc://' ? result : found
      expect([await same.args(), await same.kwargs(), await same.retries(), await same.queue()]).toEqual([
        ...[[1], { y: 2 }, 0, settings.pythonQueue],
      ])
      expect(await same.worker()).toContain('@')
    },
  },
  {
    feature: 'compressed results',
    title: 'Lovage reads results that Python compressed',
    notOn: {
      Redis: 'shown with RabbitMQ, on the same backend',
      'SQS with Redis': 'shown with RabbitMQ, on the same backend',
      SQL: 'Celery compresses no results there',
      'RabbitMQ with rpc': 'rpc compresses nothing, as in Celery',
    },
    run: async ({ app, python }) => {
      const text = 'größe'.repeat(100)
      const result = await app.sendTask('py.echo', { args: [text] })
      expect(await result.get(WAIT)).toBe(text)
      const code = `return stored_result('${result.id}').startswith(b'\\0celery-compressed')`
      expect(await python.run(code)).toBe(true)
    },
  },
  {
    feature: 'ignore_result',
    title: 'nothing is stored for a call of Lovage that ignores the result',
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const result = await stage.app.sendTask('py.note', { args: ['a', path], ignoreResult: true })
      await stage.lines(path)
      await (await stage.app.sendTask('py.add', { args: [1, 1] })).get(WAIT)
      expect(await result.state()).toBe('PENDING')
    },
  },
  {
    feature: 'ignore_result of the task',
    title: "nothing is stored for a task of Python's that ignores its result, called from Lovage",
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const result = await stage.app.sendTask('py.quiet', { args: ['b', path] })
      await stage.lines(path)
      await (await stage.app.sendTask('py.add', { args: [1, 1] })).get(WAIT)
      expect(await result.state()).toBe('PENDING')
    },
  },
  {
    feature: 'STARTED and custom states',
    title: "Lovage sees STARTED and custom states of Python's task with their meta",
    since52: true,
    run: async (stage) => {
      const [started, gate] = [stage.path(), stage.path()]
      const result = await stage.app.sendTask('py.hold', { args: [started, gate] })
      const seen: (readonly [string, unknown])[] = []
      const end = result.get({
        timeout: WAIT,
        onProgress: ({ state, info }) => {
          seen.push([state, info])
        },
      })
      await stage.lines(started, 1)
      // Python does not wait until the server has what it says.
      await eventually(async () => (await result.state()) === 'STARTED', WAIT * 1000)
      // A store that is only looked at now and then tells of a state that lasts.
      await eventually(() => seen.some(([state]) => state === 'STARTED'))
      stage.touch(`${gate}.1`)
      await stage.lines(started, 2)
      await eventually(async () => (await result.state()) === 'PROGRESS', WAIT * 1000)
      expect(await result.info()).toEqual({ done: 1, of: 2 })
      await eventually(() => seen.some(([state]) => state === 'PROGRESS'))
      stage.touch(`${gate}.2`)
      expect(await end).toBe('done')
      expect(seen.map(([state]) => state)).toEqual(expect.arrayContaining(['STARTED', 'PROGRESS']))
    },
  },
  {
    feature: 'headers, shadow, time limits, reply_to',
    title: "a Python task sees what Lovage's message says of it",
    since52: true,
    run: async ({ app }) => {
      const taskId = `my-${randomUUID()}`
      const result = await app.sendTask('py.request', {
        taskId,
        headers: { tenant: 'lovage', deep: { a: [1, 300] } },
        shadow: 'other',
        timeLimit: 300,
        softTimeLimit: 200,
        groupIndex: 200,
      })
      expect(await result.get(WAIT)).toMatchObject({
        id: taskId,
        root_id: taskId,
        parent_id: null,
        correlation_id: taskId,
        shadow: 'other',
        timelimit: [300, 200],
        group_index: 200,
        headers: { tenant: 'lovage', deep: { a: [1, 300] } },
      })
    },
  },
  {
    feature: 'hard time limit',
    title: "Lovage's time limits end Python's task, and Lovage reads what Celery says of it",
    run: async (stage) => {
      // A worker of its own: the child that takes a killed one's place inherits the parent's connections, and may hang.
      const queue = randomName('py-limits')
      await stage.pythonWorker({ queues: queue, pool: 'prefork', concurrency: 2 })
      const path = stage.path()
      const softly = { args: [20, path], queue, softTimeLimit: 1, timeLimit: 15 }
      const soft = await stage.app.sendTask('py.wait', softly)
      const hard = await stage.app.sendTask('py.wait', { args: [20, path], queue, timeLimit: 1 })
      await expect(soft.get(WAIT)).rejects.toMatchObject({ code: 'LOVAGE_TIME_LIMIT', soft: true })
      await expect(hard.get(WAIT)).rejects.toMatchObject({ code: 'LOVAGE_TIME_LIMIT', soft: false })
      expect(await stage.lines(path)).toEqual(['soft'])
    },
  },
  {
    feature: 'protocol 1',
    title: 'Python runs a message of protocol 1 that Lovage wrote',
    since52: true,
    run: async ({ settings }) => {
      const app = interopApp(settings)
      app.conf.taskProtocol = 1
      const result = await app.sendTask('py.add', { args: [20], kwargs: { y: 22 } })
      expect(await result.get(WAIT)).toBe(42)
      await app.close()
    },
  },
  {
    feature: 'serializers yaml and msgpack',
    title: 'Python reads what Lovage wrote as YAML or MessagePack',
    run: async ({ app }) => {
      for (const serializer of ['yaml', 'msgpack', 'json']) {
        const result = await app.sendTask('py.echo', { args: [{ größe: [1, 2.5, null] }], serializer })
        expect(await result.get(WAIT)).toEqual({ größe: [1, 2.5, null] })
      }
    },
  },
  {
    feature: 'compression',
    title: 'Python reads what Lovage compressed with gzip or zlib',
    since52: true,
    run: async ({ app }) => {
      for (const compression of ['gzip', 'zlib']) {
        const { result, message } = await sentWith(app, () =>
          app.sendTask('py.size', { args: ['x'.repeat(100_000)], compression }),
        )
        expect(message.headers['compression']).toBe('application/x-gzip')
        expect(message.body.byteLength).toBeLessThan(1_000)
        expect(await result.get(WAIT)).toBe(100_000)
      }
    },
  },
  {
    feature: 'failures with built-in errors',
    title: "Lovage's error carries type, message, arguments and traceback of Python's",
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.fail', { args: ['no such parcel: größe'] })
      const error = await result.get(WAIT).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(TaskFailedError)
      expect(error).toMatchObject({
        message: expect.stringContaining('no such parcel: größe'),
        remote: {
          type: 'ValueError',
          module: 'builtins',
          args: ['no such parcel: größe'],
          traceback: expect.stringMatching(/proj\.py[^]*ValueError: no such parcel/),
        },
      })
      expect(await result.traceback()).toContain('raise ValueError(text)')
    },
  },
  {
    feature: 'failures with custom exceptions',
    title: "Lovage throws its own class for a registered exception of Python's, arguments included",
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.fail_custom', { args: [42, 'lovage'] })
      const error = await result.get(WAIT).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(NotEnough)
      expect(error).toMatchObject({ missing: 42, what: 'lovage' })
    },
  },
  {
    feature: 'failures with unknown classes',
    title: "Lovage's error carries name, module and printed arguments of a class that only Python knows",
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.fail_own', { args: ['a leaf'] })
      const error = await result.get(WAIT).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(TaskFailedError)
      expect(error).toMatchObject({
        remote: { type: 'LeafMissing', module: 'proj', args: ['a leaf', '{1, 2}'] },
      })
    },
  },
  {
    feature: 'Ignore and Reject',
    title: "Lovage reads FAILURE for a Reject of Python's task, and nothing for an Ignore",
    run: async (stage) => {
      const path = stage.path()
      const ignored = await stage.app.sendTask('py.ignore', { args: [path] })
      const rejected = await stage.app.sendTask('py.reject')
      await expect(rejected.get(WAIT)).rejects.toMatchObject({
        remote: { type: 'Reject', args: ['damaged', false] },
      })
      await stage.lines(path)
      await (await stage.app.sendTask('py.add', { args: [1, 1] })).get(WAIT)
      expect(await ignored.state()).toBe('PENDING')
    },
  },
  {
    feature: 'unknown task names',
    title: 'Lovage throws TaskNotRegisteredError for a name that no Python worker knows',
    since52: true,
    run: async ({ app }) => {
      const result = await app.sendTask('py.nobody_has_it', {})
      await expect(result.get(WAIT)).rejects.toMatchObject({
        code: 'LOVAGE_TASK_NOT_REGISTERED',
        taskName: 'py.nobody_has_it',
      })
    },
  },
])
