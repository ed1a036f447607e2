import assert from 'node:assert/strict'
import { passTime } from '../time.js'
import { newId, toRecord, backendChecks } from './stage.js'
import type { BackendCheck } from './stage.js'

const VALUES: readonly unknown[] = [
  3,
  -1.5,
  true,
  null,
  '',
  'größe 値 🌿 \u0000 end',
  [1, [2, [3]]],
  { nested: { list: [{ a: null }], ключ: 1 } },
  'x'.repeat(2 ** 20),
]

/** Keeping and reading records. */
export const recordChecks: readonly BackendCheck[] = backendChecks([
  {
    name: 'loads a record as it was stored',
    run: async (stage) => {
      const id = newId()
      const record = toRecord(id, {
        result: { sum: 3 },
        groupId: newId(),
        parentId: newId(),
        children: [[[newId(), null], null]],
      })

      await stage.store(record)

      const found = await stage.load(id)
      assert.ok(found)
      const { taskId, state, result, children, doneAtMs, groupId, parentId } = found
      assert.deepEqual({ taskId, state, result, children, doneAtMs, groupId, parentId }, record)
    },
  },
  {
    name: 'loads a failure with its description and traceback',
    run: async (stage) => {
      const id = newId()
      const result = { exc_type: 'ValueError', exc_message: ['nö'], exc_module: 'builtins' }
      await stage.store(toRecord(id, { state: 'FAILURE', result, traceback: 'Error: nö\n    at charge' }))

      const found = await stage.load(id)

      assert.equal(found?.state, 'FAILURE')
      assert.deepEqual(found.result, result)
      assert.equal(found.traceback, 'Error: nö\n    at charge')
    },
  },
  {
    name: 'loads values of every kind',
    run: async (stage) => {
      const ids = VALUES.map(() => newId())
      await stage.store(...ids.map((id, index) => toRecord(id, { result: VALUES[index] })))

      const found = await stage.backend.load(ids)

      assert.deepEqual(
        ids.map((id) => found.get(id)?.result),
        VALUES,
      )
    },
  },
  {
    name: 'decodes a value that came encoded',
    run: async (stage) => {
      const id = newId()
      const encoded = { contentType: 'application/json', contentEncoding: 'utf-8', data: '{"sum":3}' }
      await stage.store(toRecord(id, { result: { sum: 3 }, encoded }))

      assert.deepEqual((await stage.load(id))?.result, { sum: 3 })
    },
  },
  {
    name: 'keeps the fields of extended results',
    run: async (stage) => {
      const id = newId()
      const extended = {
        name: 'tasks.add',
        args: [1, 2],
        kwargs: { z: 'ü' },
        worker: 'celery@host',
        retries: 2,
        queue: 'celery',
      }
      await stage.store(toRecord(id, { extended }))

      const found = await stage.load(id)

      assert.ok(found?.extended)
      const { name, args, kwargs, worker, retries, queue } = found.extended
      assert.deepEqual({ name, args, kwargs, worker, retries, queue }, extended)
    },
  },
  {
    name: 'has no entry for a task it does not know',
    run: async (stage) => {
      const id = newId()
      await stage.store(toRecord(id))

      const found = await stage.backend.load([newId(), id, newId()])

      assert.deepEqual([...found.keys()], [id])
    },
  },
  {
    name: 'stores and loads a large batch',
    run: async (stage) => {
      const ids = Array.from({ length: 1_500 }, newId)
      await stage.store(...ids.map((id, index) => toRecord(id, { result: index })))

      const found = await stage.backend.load(ids)

      assert.equal(found.size, ids.length)
      assert.equal(found.get(ids[1_234] ?? '')?.result, 1_234)
    },
  },
  {
    name: 'lets a later state replace an earlier one',
    run: async (stage) => {
      const id = newId()
      for (const state of ['STARTED', 'PROGRESS', 'RETRY', 'FAILURE', 'STARTED', 'SUCCESS']) {
        await stage.store(toRecord(id, { state, result: state }))

        const found = await stage.load(id)

        assert.equal(found?.state, state)
        assert.equal(found.result, state)
      }
    },
  },
  {
    name: 'never replaces a success',
    run: async (stage) => {
      const id = newId()
      await stage.store(toRecord(id, { result: 'first' }))

      for (const state of ['STARTED', 'RETRY', 'FAILURE', 'REVOKED', 'SUCCESS']) {
        await stage.store(toRecord(id, { state, result: 'later' }))
      }

      const found = await stage.load(id)
      assert.equal(found?.state, 'SUCCESS')
      assert.equal(found.result, 'first')
    },
  },
  {
    name: 'keeps the success of two records of one task in a batch',
    run: async (stage) => {
      const id = newId()

      await stage.store(toRecord(id, { result: 'done' }), toRecord(id, { state: 'FAILURE', result: 'late' }))

      assert.equal((await stage.load(id))?.result, 'done')
    },
  },
  {
    name: 'keeps one success when several are stored at once',
    run: async (stage) => {
      const id = newId()
      const other = await stage.open()
      const results = Array.from({ length: 10 }, (_, index) => index)

      await Promise.all(
        results.map((result) =>
          (result % 2 === 0 ? stage.backend : other).store([toRecord(id, { result })], { ttlMs: 0 }),
        ),
      )

      const first = (await stage.load(id))?.result
      assert.ok(typeof first === 'number' && results.includes(first))
      await stage.store(toRecord(id, { result: 'late' }))
      assert.equal((await stage.load(id))?.result, first)
    },
  },
  {
    name: 'forgets records, known or not',
    run: async (stage) => {
      const [id, kept] = [newId(), newId()]
      await stage.store(toRecord(id), toRecord(kept))

      await stage.backend.forget([id, newId()])

      assert.equal(await stage.load(id), undefined)
      assert.notEqual(await stage.load(kept), undefined)
    },
  },
  {
    name: 'stores a forgotten task anew',
    run: async (stage) => {
      const id = newId()
      await stage.store(toRecord(id, { result: 'old' }))
      await stage.backend.forget([id])

      await stage.store(toRecord(id, { result: 'new' }))

      assert.equal((await stage.load(id))?.result, 'new')
    },
  },
  {
    name: 'has no entry for a record whose time is over',
    run: async (stage) => {
      const [short, long] = [newId(), newId()]
      await stage.backend.store([toRecord(short)], { ttlMs: stage.ttlMs })
      await stage.backend.store([toRecord(long)], { ttlMs: 3_600_000 })
      assert.notEqual(await stage.load(short), undefined)

      await passTime(stage.ttlMs + 100)

      const found = await stage.backend.load([short, long])
      assert.deepEqual([...found.keys()], [long])
    },
  },
  {
    name: 'deletes what has expired, and tells how much it was',
    needs: 'cleanup',
    run: async (stage) => {
      await stage.backend.cleanup?.()
      const ids = [newId(), newId(), newId()]
      await stage.backend.store(
        ids.slice(0, 2).map((id) => toRecord(id)),
        { ttlMs: stage.ttlMs },
      )
      await stage.store(toRecord(ids[2] ?? ''))
      await passTime(stage.ttlMs + 100)

      assert.equal(await stage.backend.cleanup?.(), 2)

      assert.equal(await stage.backend.cleanup?.(), 0)
      assert.notEqual(await stage.load(ids[2] ?? ''), undefined)
    },
  },
  {
    name: 'reads what another instance stored',
    run: async (stage) => {
      const id = newId()
      await stage.store(toRecord(id))

      assert.equal((await stage.load(id, await stage.open()))?.result, 3)
    },
  },
  {
    name: 'keeps records while nobody is connected',
    needs: 'shared',
    run: async (stage) => {
      const id = newId()
      await stage.store(toRecord(id))
      await stage.backend.close()

      assert.equal((await stage.load(id, await stage.open()))?.result, 3)
    },
  },
  {
    name: 'keeps records over a restart of its server',
    needs: ['shared', 'restart'],
    run: async (stage) => {
      const id = newId()
      await stage.store(toRecord(id))

      await stage.subject.restart?.()

      assert.equal((await stage.load(id, await stage.open()))?.result, 3)
    },
  },
])
