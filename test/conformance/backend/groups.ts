import assert from 'node:assert/strict'
import { passTime } from '../time.js'
import { newId, present, toRecord, backendChecks } from './stage.js'
import type { BackendCheck } from './stage.js'

/** Groups and chords. */
export const groupChecks: readonly BackendCheck[] = backendChecks([
  {
    name: 'saves, loads and forgets a group',
    needs: 'groups',
    run: async (stage) => {
      const groups = present(stage.backend.groups)
      const id = newId()
      const tuple = [
        [id, null],
        [
          [[newId(), null], null],
          [[newId(), null], null],
        ],
      ]
      assert.equal((await groups.load(id)) ?? undefined, undefined)

      await groups.save(id, tuple, { ttlMs: 0 })

      assert.deepEqual(await present((await stage.open()).groups).load(id), tuple)
      await groups.forget(id)
      assert.equal((await groups.load(id)) ?? undefined, undefined)
    },
  },
  {
    name: 'forgets a group when its time is over',
    needs: 'groups',
    run: async (stage) => {
      const groups = present(stage.backend.groups)
      const id = newId()
      await groups.save(id, [[id, null], []], { ttlMs: stage.ttlMs })

      await passTime(stage.ttlMs + 100)

      assert.equal((await groups.load(id)) ?? undefined, undefined)
    },
  },
  {
    name: 'counts each part of a chord once',
    needs: 'chords',
    run: async (stage) => {
      const chords = present(stage.backend.chords)
      const [id, one, other] = [newId(), newId(), newId()]
      await chords.open(id, 2, { ttlMs: 3_600_000 })

      assert.equal(await chords.arrive(id, toRecord(one), 0), 1)
      assert.equal(await chords.arrive(id, toRecord(one), 0), 1)
      assert.equal(await chords.arrive(id, toRecord(other), 1), 2)

      await chords.discard(id)
    },
  },
  {
    name: 'gives every one of concurrent parts a count of its own',
    needs: 'chords',
    run: async (stage) => {
      const id = newId()
      const stores = [present(stage.backend.chords), present((await stage.open()).chords)]
      await present(stores[0]).open(id, 20, { ttlMs: 3_600_000 })

      const counts = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          present(stores[index % 2]).arrive(id, toRecord(newId(), { result: index }), index),
        ),
      )

      assert.equal(Math.max(...counts), 20)
      assert.equal(counts.filter((count) => count === 20).length, 1, 'exactly one part is the last')
      await present(stores[0]).discard(id)
    },
  },
  {
    name: 'collects the parts of a chord in the order of its header',
    needs: 'chords',
    run: async (stage) => {
      const chords = present(stage.backend.chords)
      const id = newId()
      await chords.open(id, 3, { ttlMs: 3_600_000 })
      for (const index of [2, 0, 1]) {
        await chords.arrive(id, toRecord(newId(), { result: `part ${String(index)}` }), index)
      }

      const parts = await chords.collect(id)

      assert.deepEqual(
        parts.map((part) => part.result),
        ['part 0', 'part 1', 'part 2'],
      )
      await chords.discard(id)
      assert.deepEqual(await chords.collect(id), [])
    },
  },
])
