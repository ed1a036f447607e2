import { expect } from '@jest/globals'
import { calledBy, type InteropCase } from '../support/interop-case.js'

/** A Python client calls a Lovage worker and reads the result. */
export const pythonCalls: readonly InteropCase[] = calledBy('Python', [
  {
    feature: 'positional arguments',
    title: 'a Python client calls a Lovage worker and reads the result',
    since52: true,
    run: async ({ python }) => {
      expect(await python.run(`return call('node.add', 2, 3)`)).toBe(5)
    },
  },
  {
    feature: 'keyword arguments',
    title: "Python's keyword arguments are bound by name",
    since52: true,
    run: async ({ python }) => {
      const code = `
        only = app.send_task('node.add', kwargs={'y': 4, 'x': 3}).get(timeout=20)
        mixed = app.send_task('node.add', args=[1], kwargs={'y': 9}).get(timeout=20)
        return [only, mixed, raised(app.send_task('node.add', kwargs={'x': 1, 'z': 2}))]`
      expect(await python.run(code)).toEqual([
        7,
        10,
        { type: 'TypeError', module: 'builtins', args: [expect.stringContaining('z')] },
      ])
    },
  },
  {
    feature: 'special values: datetime, date, time, Decimal, UUID, bytes',
    title: "Python's special values arrive as their kinds and come back equal",
    run: async ({ python }) => {
      const code = `
        utc = datetime.timezone.utc
        values = [
            datetime.datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=utc),
            datetime.datetime(2024, 2, 29, 12, 30, 45, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
            datetime.datetime(2024, 2, 29, 12, 30, 45, 1),
            datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4),
            decimal.Decimal('0.10'), decimal.Decimal('1E+3'), decimal.Decimal('12345678901234567890.123456789'),
            uuid.UUID('12345678-1234-5678-1234-567812345678'), 'gr\\u00fc\\u00df'.encode(), b'\\xff\\x00\\xfe',
        ]
        values.append({'deep': [values[0], {'bytes': b'x'}]})
        back = call('node.echo', values)
        kinds = [kind for kind, _ in call('node.describe', *values)]
        return [back == values, [type(one).__name__ for one in back], str(back[5]), kinds]`
      expect(await python.run(code)).toEqual([
        true,
        [
          ...['datetime', 'datetime', 'datetime', 'date', 'time', 'Decimal', 'Decimal', 'Decimal', 'UUID'],
          ...['bytes', 'bytes', 'dict'],
        ],
        '0.10',
        [
          ...['Date', 'Date', 'Date', 'PlainDate', 'PlainTime', 'Decimal', 'Decimal', 'Decimal', 'Uuid'],
          ...['Buffer', 'Buffer', 'object'],
        ],
      ])
    },
  },
  {
    feature: 'special values: datetime, date, time, Decimal, UUID, bytes',
    title: "Lovage's own special values are Python's types in a result",
    run: async ({ python }) => {
      const code = `
        value = call('node.special')
        return [[type(one).__name__ for one in value], value[0].isoformat(), value[1] == b'\\xff', str(value[2]), str(value[3])]`
      expect(await python.run(code)).toEqual([
        ['datetime', 'bytes', 'Decimal', 'int'],
        ...['1970-01-01T00:00:00+00:00', true, '0.10', `${2n ** 64n}`],
      ])
    },
  },
  {
    feature: 'special values: datetime, date, time, Decimal, UUID, bytes',
    title: 'special values of Celery 5.2 arrive as text, and those of Lovage as objects of type and value',
    only52: true,
    run: async ({ python }) => {
      const code = `
        utc = datetime.timezone.utc
        sent = [datetime.datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=utc), datetime.date(2024, 2, 29),
                datetime.time(1, 2, 3), decimal.Decimal('0.10'), uuid.UUID('12345678-1234-5678-1234-567812345678')]
        return [call('node.describe', *sent), call('node.special')[2]]`
      expect(await python.run(code)).toEqual([
        [
          ['string', '2024-02-29T12:30:45.123456Z'],
          ['string', '2024-02-29T00:00:00'],
          ['string', '01:02:03'],
          ['string', '0.10'],
          ['string', '12345678-1234-5678-1234-567812345678'],
        ],
        { __type__: 'decimal', __value__: '0.10' },
      ])
    },
  },
  {
    feature: 'plain values, Unicode, big integers',
    title: "Python's plain values come back equal, Unicode and big integers included",
    since52: true,
    run: async ({ python }) => {
      const code = `
        values = [None, True, False, 0, -1, 1.5, 1e300, 5e-324, 2**53, 2**53 + 1, -2**70, 10**40, '', 'größe 値 🎉 \\u2028',
                  [], {}, [[[]]], {'a': {'b': [None]}, 'ключ': 'x'}]
        back = call('node.echo', values)
        return [back == values, [type(one).__name__ for one in back[:12]]]`
      expect(await python.run(code)).toEqual([
        true,
        [...['NoneType', 'bool', 'bool', 'int', 'int', 'float', 'float', 'float'], ...Array(4).fill('int')],
      ])
    },
  },
  {
    feature: 'payloads of 1 MiB',
    title: 'a payload of 1 MiB goes from Python to Lovage and back',
    since52: true,
    notOn: {
      'SQS with Redis': 'the service takes messages of 256 KiB, on newer queues of 1 MiB, encoded twice',
    },
    run: async ({ python }) => {
      const code = `
        text = 'ä' * 2**19
        return [call('node.echo', text) == text, call('node.size', text)]`
      expect(await python.run(code)).toEqual([true, 2 ** 19])
    },
  },
  {
    feature: 'countdown and eta',
    title: "Python's countdown and eta are kept by Lovage's worker",
    since52: true,
    run: async ({ python }) => {
      const code = `
        began = time.time()
        later = send('node.when', countdown=1)
        zone = datetime.timezone(datetime.timedelta(hours=-3))
        due = send('node.when', eta=datetime.datetime.now(zone) + datetime.timedelta(seconds=1.2))
        past = send('node.when', eta=datetime.datetime.now(zone) - datetime.timedelta(hours=1))
        return [past.get(timeout=20) - began, later.get(timeout=20) - began, due.get(timeout=20) - began]`
      const [past, later, due] = await python.run<readonly [number, number, number]>(code)
      expect(past).toBeLessThan(15)
      expect(later).toBeGreaterThanOrEqual(0.99)
      expect(due).toBeGreaterThanOrEqual(1.19)
      expect(Math.max(later, due)).toBeLessThan(15)
    },
  },
  {
    feature: 'expires',
    title: 'a task of Python that expired is REVOKED and does not run',
    since52: true,
    notOn: {
      'RabbitMQ with rpc': 'the server drops the message at that moment, as it does for Celery',
      'RabbitMQ with Redis': 'the server drops the message at that moment, as it does for Celery',
    },
    run: async (stage) => {
      const path = stage.path()
      const code = `
        late = send('node.note', 1, '${path}', expires=datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5))
        timely = send('node.add', 1, 1, expires=60)
        return [timely.get(timeout=20), raised(late), late.state]`
      expect(await stage.python.run(code)).toEqual([
        2,
        { type: 'TaskRevokedError', module: 'celery.exceptions', args: ['expired'] },
        'REVOKED',
      ])
      expect(await stage.lines(path, 0)).toEqual([])
    },
  },
  {
    feature: 'expires before eta',
    title: 'a task of Python that expires while it waits for its eta is REVOKED and does not run',
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const code = `
        late = send('node.note', 1, '${path}', countdown=1.5, expires=0.7)
        return [raised(late)['type'], late.state]`
      expect(await stage.python.run(code)).toEqual(['TaskRevokedError', 'REVOKED'])
      expect(await stage.lines(path, 0)).toEqual([])
    },
  },
  {
    feature: 'priority',
    title: "a Lovage task sees the priority of Python's message",
    since52: true,
    run: async ({ python }) => {
      const code = `return [call('node.request', priority=priority)['priority'] for priority in (0, 4, 9)]`
      expect(await python.run(code)).toEqual([0, 4, 9])
    },
  },
  {
    feature: 'retries',
    title: "a retry of Lovage's task keeps its id, and Python reads the last result",
    since52: true,
    run: async ({ python }) => {
      const code = `
        gave_up = send('node.give_up', 'nothing left')
        return [call('node.retry', 2), raised(gave_up)]`
      expect(await python.run(code)).toEqual([
        2,
        { type: 'ValueError', module: 'builtins', args: ['nothing left'] },
      ])
    },
  },
  {
    feature: 'RETRY with its cause',
    title: "Python sees RETRY and its cause while Lovage's task waits for the next try",
    since52: true,
    notOn: {
      SQL: 'Celery reports states on the way with other backends only',
      MongoDB: 'Celery reports states on the way with other backends only',
    },
    run: async ({ python }) => {
      const code = `
        seen = []
        def on_message(body):
            # A client that pushes is told of its other tasks too.
            if body.get('task_id') == result.id:
                seen.append(body)
        result = send('node.retry_later', 'not yet')
        value = result.get(timeout=20, on_message=on_message)
        first, last = seen[0], seen[-1]
        about = first['result']
        cause = [about['exc_type'], about['exc_message']] if isinstance(about, dict) else [type(about).__name__, list(about.args)]
        return [first['status'], cause, 'RangeError: not yet' in first['traceback'], last['status'], value]`
      expect(await python.run(code)).toEqual([
        ...['RETRY', ['ValueError', ['not yet']], true],
        ...['SUCCESS', 'ready'],
      ])
    },
  },
  {
    feature: 'extended results',
    title: "Python reads name, arguments, worker, retries and queue of Lovage's results",
    notOn: { MongoDB: 'Celery stores the arguments there as BSON, and fails on what BSON has not' },
    run: async (stage) => {
      const code = `
        result = app.send_task('node.add', args=[1], kwargs={'y': 2})
        result.get(timeout=20)
        return [result.name, result.args, result.kwargs, '@' in result.worker, result.retries, result.queue,
                # The column of a database has no zone.
                result.date_done.tzinfo is not None or app.conf.result_backend.startswith('db+')]`
      expect(await stage.python.run(code)).toEqual([
        ...['node.add', [1], { y: 2 }, true, 0, stage.settings.nodeQueue, true],
      ])
    },
  },
  {
    feature: 'compressed results',
    title: 'Python reads results that Lovage compressed',
    notOn: {
      Redis: 'shown with RabbitMQ, on the same backend',
      'SQS with Redis': 'shown with RabbitMQ, on the same backend',
      SQL: 'Celery compresses no results there',
      'RabbitMQ with rpc': 'rpc compresses nothing, as in Celery',
    },
    run: async ({ python }) => {
      const code = `
        result = send('node.echo', ['größe'] * 100)
        value = result.get(timeout=20)
        stored = stored_result(result.id)
        return [value == ['größe'] * 100, stored.startswith(b'\\0celery-compressed\\0application/x-gzip\\0'), len(stored) < 400]`
      expect(await python.run(code)).toEqual([true, true, true])
    },
  },
  {
    feature: 'ignore_result',
    title: 'nothing is stored for a call of Python that ignores the result',
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const code = `
        result = send('node.note', 'a', '${path}', ignore_result=True)
        until(lambda: os.path.exists('${path}'))
        call('node.add', 1, 1)
        return app.AsyncResult(result.id).state`
      expect(await stage.python.run(code)).toBe('PENDING')
    },
  },
  {
    feature: 'ignore_result of the task',
    title: "nothing is stored for a task of Lovage's that ignores its result, called from Python",
    run: async (stage) => {
      const path = stage.path()
      const code = `
        result = send('node.quiet', 'b', '${path}')
        until(lambda: os.path.exists('${path}'))
        call('node.add', 1, 1)
        return app.AsyncResult(result.id).state`
      expect(await stage.python.run(code)).toBe('PENDING')
    },
  },
  {
    feature: 'STARTED and custom states',
    title: "Python sees STARTED and custom states of Lovage's task with their meta",
    since52: true,
    notOn: { SQL: 'Celery reports states on the way with other backends only' },
    run: async (stage) => {
      const [started, gate] = [stage.path(), stage.path()]
      const code = `
        gates = {'STARTED': '${gate}.1', 'PROGRESS': '${gate}.2'}
        seen = []
        def on_message(body):
            # A client that pushes is told of its other tasks too, and one that asks first of nothing yet.
            if body.get('task_id') != result.id or body['status'] == 'PENDING':
                return
            # One that asks while the news is under way is told twice.
            if [body['status'], body['result']] not in seen:
                seen.append([body['status'], body['result']])
            if body['status'] in gates:
                open(gates[body['status']], 'w').close()
        result = send('node.hold', '${started}', '${gate}')
        if not pushes:
            for state in gates:
                until(lambda: result.state == state)
                on_message(app.backend.get_task_meta(result.id))
            until(result.ready)
            on_message(app.backend.get_task_meta(result.id))
        value = result.get(timeout=20, on_message=on_message if pushes else None)
        (first, about), second, last = seen
        return [first, sorted(about), '@' in about['hostname'], second, last, value, result.state]`
      expect(await stage.python.run(code)).toEqual([
        ...['STARTED', ['hostname', 'pid'], true],
        ...[['PROGRESS', { done: 1, of: 2 }], ['SUCCESS', 'done'], 'done', 'SUCCESS'],
      ])
    },
  },
  {
    feature: 'headers, shadow, time limits, reply_to',
    title: "a Lovage task sees what Python's message says of it",
    since52: true,
    run: async ({ python }) => {
      const code = `
        sent = send('node.request', headers={'tenant': 'lovage', 'deep': {'a': [1, 300]}}, shadow='other', task_id='my-' + str(uuid.uuid4()),
                    time_limit=300, soft_time_limit=200, retries=0)
        seen = sent.get(timeout=20)
        headers = seen['headers']
        return [seen['id'] == sent.id, seen['root_id'] == sent.id, seen['correlation_id'] == sent.id, seen['parent_id'],
                headers['tenant'], headers['deep'], seen['shadow'], seen['timelimit'], seen['reply_to'] == app.thread_oid]`
      expect(await python.run(code)).toEqual([
        ...[true, true, true, null, 'lovage', { a: [1, 300] }, 'other'],
        ...[[300, 200], true],
      ])
    },
  },
  {
    feature: 'hard time limit',
    title: "Python's time limit ends Lovage's task, and Python reads TimeLimitExceeded",
    since52: true,
    run: async ({ python }) => {
      const code = `
        result = send('node.wait', 20000, time_limit=1)
        got = raised(result)
        return [got['type'], got['module'], result.state]`
      expect(await python.run(code)).toEqual(['TimeLimitExceeded', 'billiard.exceptions', 'FAILURE'])
    },
  },
  {
    feature: 'serializers yaml and msgpack',
    title: 'Lovage reads what Python wrote as YAML or MessagePack',
    run: async ({ python }) => {
      const code = `
        return [call('node.echo', {'größe': [1, 2.5, None]}, serializer=name) for name in ('yaml', 'msgpack', 'json')]`
      expect(await python.run(code)).toEqual(Array(3).fill({ größe: [1, 2.5, null] }))
    },
  },
  {
    feature: 'compression',
    title: 'Lovage reads what Python compressed with gzip or zlib',
    since52: true,
    run: async ({ python }) => {
      const code = `
        sent = [call('node.wire', 'x' * 100000, compression=name) for name in ('gzip', 'zlib')]
        return [[length, size < 1000] for length, size in sent]`
      expect(await python.run(code)).toEqual(Array(2).fill([100000, true]))
    },
  },
  {
    feature: 'compression that Node has not',
    title:
      'a message of Python that is compressed with bzip2 or xz is set aside with a FAILURE that names it',
    since52: true,
    run: async ({ python }) => {
      const code = `
        got = [raised(send('node.size', 'x', compression=name)) for name in ('bzip2', 'lzma')]
        return [[name in str(one['args']) for name, one in zip(('x-bz2', 'x-lzma'), got)], got[0]['type']]`
      expect(await python.run(code)).toEqual([[true, true], expect.any(String)])
    },
  },
  {
    feature: 'protocol 1',
    title: 'Lovage runs a message of protocol 1, its callback included',
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const code = `
        app.conf.task_protocol = 1
        del app.amqp
        try:
            plain = send('node.add', 20, 22)
            linked = send('node.add', 1, 2, link=signature('node.note', ('${path}',), app=app))
        finally:
            app.conf.task_protocol = 2
            del app.amqp
        return [plain.get(timeout=20), linked.get(timeout=20)]`
      expect(await stage.python.run(code)).toEqual([42, 3])
      expect(await stage.lines(path)).toEqual(['3'])
    },
  },
])
