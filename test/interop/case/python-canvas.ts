import { expect } from '@jest/globals'
import { listDeadLetters } from '../../../src/control/dead-letters.js'
import { calledBy, type InteropCase } from '../support/interop-case.js'
import { internalsOf } from '../../../src/util/internals.js'

/** What a message of Python's carries beside its task is executed by Lovage's worker. */
export const pythonCanvas: readonly InteropCase[] = calledBy('Python', [
  {
    feature: 'link',
    title: "Lovage's worker calls the callbacks of a Python message, in both languages",
    since52: true,
    run: async (stage) => {
      const [first, second, third] = [stage.path(), stage.path(), stage.path()]
      const code = `
        one = send('node.add', 1, 2, link=signature('py.note', ('${first}',), app=app))
        one.get(timeout=20)
        two = send('node.add', 3, 4, link=[
            signature('py.note', ('${second}',), app=app),
            signature('node.note', (9, '${third}'), immutable=True, app=app)])
        two.get(timeout=20)
        child, = one.children
        children, = two.children
        return [type(child).__name__, child.get(timeout=20),
                type(children).__name__, children.get(timeout=20)]`
      expect(await stage.python.run(code)).toEqual(['AsyncResult', 3, 'GroupResult', [7, 9]])
      expect(await stage.lines(first)).toEqual(['3'])
      expect(await stage.lines(second)).toEqual(['7'])
      expect(await stage.lines(third)).toEqual(['9'])
    },
  },
  {
    feature: 'link with a group or a chain',
    title: "Lovage's worker calls groups and chains that are linked",
    since52: true,
    run: async ({ python }) => {
      const code = `
        members = group(signature('py.add', (10,), app=app), signature('node.add', (20,), app=app))
        last = signature('node.add', (100,), task_id=str(uuid.uuid4()), app=app)
        steps = signature('py.add', (1,), app=app) | signature('py.add', (2,), app=app) | last
        with_group = send('node.add', 1, 1, link=members)
        with_chain = send('node.add', 2, 2, link=steps)
        with_group.get(timeout=20), with_chain.get(timeout=20)
        child, = with_group.children
        return [child.get(timeout=20), app.AsyncResult(last.options['task_id']).get(timeout=20)]`
      expect(await python.run(code)).toEqual([[12, 22], 107])
    },
    notOn: { 'RabbitMQ with rpc': 'a client of rpc waits only for results that it was told of when it sent' },
  },
  {
    feature: 'link_error',
    title: "Lovage's worker calls the errbacks of a Python message with the failed id, in both languages",
    since52: true,
    run: async (stage) => {
      const [first, second, third] = [stage.path(), stage.path(), stage.path()]
      const code = `
        result = send('node.fail', 'boom', link_error=[
            signature('py.note', ('${first}',), app=app),
            signature('node.note', ('${second}',), app=app)])
        rejected = send('node.reject', link_error=signature('py.note', ('${third}',), app=app))
        return [result.id, raised(result)['type'], rejected.id, raised(rejected)['type']]`
      const [id, type, rejected, why] = await stage.python.run<readonly string[]>(code)
      expect([type, why]).toEqual(['ValueError', 'Reject'])
      expect(await stage.lines(first)).toEqual([JSON.stringify(id)])
      expect(await stage.lines(second)).toEqual([JSON.stringify(id)])
      expect(await stage.lines(third)).toEqual([JSON.stringify(rejected)])
    },
  },
  {
    feature: 'chain: the rest of a chain',
    title: 'a chain goes on through both languages, and each step is a result',
    since52: true,
    run: async ({ python }) => {
      const code = `
        sent = chain(signature('node.add', (1, 2), app=app), signature('py.add', (10,), app=app),
                     signature('node.add', (100,), app=app), signature('py.add', (1000,), app=app)).apply_async()
        return [sent.get(timeout=20), sent.parent.get(timeout=20), sent.parent.parent.get(timeout=20),
                sent.parent.parent.parent.get(timeout=20)]`
      expect(await python.run(code)).toEqual([1113, 113, 13, 3])
    },
  },
  {
    feature: 'root_id, parent_id, reply_to of later steps',
    title: "later steps have Celery's root_id, parent_id and reply_to, whoever sent them",
    since52: true,
    run: async ({ python }) => {
      const code = `
        step = lambda name: signature(name, immutable=True, app=app)
        sent = chain(step('node.request'), step('py.request'), step('node.request'), step('node.request')).apply_async()
        ids = [sent.parent.parent.parent.id, sent.parent.parent.id, sent.parent.id, sent.id]
        seen = [result.get(timeout=20) for result in (sent.parent.parent.parent, sent.parent.parent, sent.parent, sent)]
        return [[one['id'] for one in seen] == ids,
                [one['root_id'] == ids[0] for one in seen],
                [one['parent_id'] for one in seen] == [None] + ids[:3],
                [one['reply_to'] == app.thread_oid for one in seen]]`
      expect(await python.run(code)).toEqual([true, Array(4).fill(true), true, Array(4).fill(true)])
    },
  },
  {
    feature: 'chain: a step fails',
    title: 'what follows a failed step of Lovage ends with its failure, and errbacks are called',
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const code = `
        steps = chain(signature('py.add', (1, 1), app=app), signature('node.fail', ('late',), immutable=True, app=app),
                      signature('py.add', (1,), app=app), signature('node.add', (1,), app=app))
        sent = steps.apply_async(link_error=signature('node.note', ('${path}',), app=app))
        # By get alone: RPC's client keeps what came while it waited for another from everything else.
        first = sent.parent.parent.parent
        got = [raised(step, follow_parents=False) for step in (sent, sent.parent, sent.parent.parent)]
        return [got, first.get(timeout=20), sent.parent.parent.id]`
      const error = { type: 'ValueError', module: 'builtins', args: ['late'] }
      expect(await stage.python.run(code)).toEqual([[error, error, error], 2, expect.any(String)])
      expect(await stage.lines(path)).toHaveLength(1)
    },
  },
  {
    feature: 'retries with link and chain',
    title: 'a retried task of Lovage calls its callback and the next step once, with the last value',
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const code = `
        first = signature('node.retry', (2,), app=app)
        first.link(signature('py.note', ('${path}',), app=app))
        return chain(first, signature('py.add', (10,), app=app)).apply_async().get(timeout=20)`
      expect(await stage.python.run(code)).toBe(12)
      expect(await stage.lines(path)).toEqual(['2'])
    },
  },
  {
    feature: 'group',
    title: 'a group is shared by both languages, and its members know their place',
    since52: true,
    run: async ({ python }) => {
      const code = `
        sent = group(signature('node.request', app=app), signature('py.request', app=app),
                     signature('node.request', app=app)).apply_async()
        seen = sent.get(timeout=20)
        return [[one['group'] == sent.id for one in seen], [one['group_index'] for one in seen]]`
      const [groups, indexes] = await python.run<readonly [unknown, unknown]>(code)
      expect(groups).toEqual([true, true, true])
      expect([
        [0, 1, 2],
        [null, null, null],
      ]).toContainEqual(indexes)
    },
  },
  {
    feature: 'group of chains',
    title: 'the last step of a chain in a group knows its group, whoever ran the steps before',
    since52: true,
    run: async ({ python }) => {
      const code = `
        step = lambda name: signature(name, immutable=True, app=app)
        sent = group(step('node.request') | step('py.request') | step('node.request'),
                     step('py.request') | step('node.request') | step('py.request')).apply_async()
        seen = sent.get(timeout=20)
        return [[one['group'] == sent.id for one in seen],
                [one['parent_id'] == result.parent.id for one, result in zip(seen, sent.results)],
                [one['root_id'] == result.parent.parent.id for one, result in zip(seen, sent.results)]]`
      const [groups, parents] = await python.run<readonly unknown[]>(code)
      expect([groups, parents]).toEqual([
        [true, true],
        [true, true],
      ])
    },
  },
  {
    feature: 'group at the end of a chain',
    title: "Lovage's worker sends the group that ends a chain",
    since52: true,
    run: async ({ python }) => {
      const code = `
        ending = group(signature('py.add', (1,), app=app), signature('node.add', (2,), app=app),
                       signature('py.add', (3,), app=app) | signature('node.add', (4,), app=app))
        sent = (signature('node.add', (10, 10), app=app) | ending).apply_async()
        return [sent.get(timeout=20), sent.parent.get(timeout=20)]`
      expect(await python.run(code)).toEqual([[21, 22, 27], 20])
    },
  },
  {
    feature: 'saved groups',
    title: 'a group that Python saved is restored by its id with results of both languages',
    notOn: { 'RabbitMQ with rpc': 'rpc keeps no groups' },
    run: async ({ python }) => {
      const code = `
        from celery.result import GroupResult
        sent = group(signature('node.add', (1, 1), app=app), signature('py.add', (2, 2), app=app)).apply_async()
        sent.save()
        restored = GroupResult.restore(sent.id, app=app)
        # Celery's backend for MongoDB restores the members alone.
        members = restored if isinstance(restored, list) else restored.results
        return [member.get(timeout=20) for member in members]`
      expect(await python.run(code)).toEqual([2, 4])
    },
  },
  {
    feature: 'stamps',
    title: "Python's stamps reach Lovage's task and everything it calls unchanged",
    run: async (stage) => {
      const path = stage.path()
      const code = `
        steps = signature('node.request', app=app) | signature('node.request', immutable=True, app=app) | signature('py.request', immutable=True, app=app)
        steps.tasks[0].link(signature('py.stamp_note', ('${path}',), app=app))
        steps.stamp(tenant='lovage', tags=['a', 'ü'], number=300)
        sent = steps.apply_async()
        seen = [sent.parent.parent.get(timeout=20), sent.parent.get(timeout=20), sent.get(timeout=20)]
        return [[sorted(one['stamped_headers']), one['stamps']] for one in seen]`
      const stamps = { tenant: 'lovage', tags: ['a', 'ü'], number: 300 }
      const seen = [['number', 'tags', 'tenant'], stamps]
      expect(await stage.python.run(code)).toEqual([seen, seen, seen])
      const [called = '{}'] = await stage.lines(path)
      expect(JSON.parse(called)).toMatchObject({ stamps })
    },
  },
  {
    feature: 'chords are refused',
    title: "a chord's header task is set aside by Lovage's worker with a FAILURE that says so",
    since52: true,
    notOn: { 'RabbitMQ with rpc': 'Celery refuses chords on rpc itself' },
    run: async ({ python, app, settings }) => {
      const code = `
        header = signature('node.add', (1, 1), task_id=str(uuid.uuid4()), app=app)
        chord([header, signature('py.add', (1, 1), app=app)], signature('node.size', app=app)).apply_async()
        refused = raised(app.AsyncResult(header.options['task_id']))
        late = (signature('node.add', (1, 1), task_id=str(uuid.uuid4()), app=app)
                | group(signature('py.add', (1,), app=app), signature('py.add', (2,), app=app))
                | signature('py.echo', app=app))
        late.apply_async()
        late_refused = raised(app.AsyncResult(late.tasks[0].options['task_id']))
        ids = [header.options['task_id'], late.tasks[0].options['task_id']]
        return [ids, refused['type'], 'chord' in str(refused['args']), late_refused['type'], call('node.add', 1, 1)]`
      const [ids, ...rest] = await python.run<[string[], ...unknown[]]>(code)
      expect(rest).toEqual(['UnsupportedError', true, 'UnsupportedError', 2])
      const letters = await listDeadLetters(await internalsOf(app).broker(), settings.nodeQueue, { ids })
      expect(letters.map(({ id, reason }) => [id, reason])).toEqual(ids.map((id) => [id, 'unsupported']))
    },
  },
])
