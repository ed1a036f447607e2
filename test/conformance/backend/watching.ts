import assert from 'node:assert/strict'
import { eventually } from '../time.js'
import { newId, present, toRecord, backendChecks } from './stage.js'
import type { BackendCheck } from './stage.js'

/** Pushes of changes. */
export const watchChecks: readonly BackendCheck[] = backendChecks([
  {
    name: 'tells a watch of a record that another instance stores',
    needs: 'watch',
    run: async (stage) => {
      const id = newId()
      const other = await stage.open()
      let calls = 0
      const watch = await present(stage.backend.watch).call(stage.backend, [newId(), id], () => {
        calls += 1
      })

      await other.store([toRecord(id)], { ttlMs: 0 })

      await eventually(() => calls > 0)
      assert.notEqual(await stage.load(id), undefined, 'what it was told of can be loaded')
      await watch.close()
    },
  },
  {
    name: 'tells a watch of every state',
    needs: 'watch',
    run: async (stage) => {
      const id = newId()
      let calls = 0
      const watch = await present(stage.backend.watch).call(stage.backend, [id], () => {
        calls += 1
      })

      for (const state of ['STARTED', 'RETRY', 'SUCCESS']) {
        const before = calls
        await stage.store(toRecord(id, { state }))
        await eventually(() => calls > before)
      }

      await watch.close()
    },
  },
  {
    name: 'tells each of several watches on one task, until it is closed',
    needs: 'watch',
    run: async (stage) => {
      const id = newId()
      const calls = [0, 0]
      const [first, second] = await Promise.all(
        calls.map((_, index) =>
          present(stage.backend.watch).call(stage.backend, [id], () => {
            calls[index] = (calls[index] ?? 0) + 1
          }),
        ),
      )
      await first?.close()
      await first?.close()
      const before = calls[0]

      await stage.store(toRecord(id))

      await eventually(() => (calls[1] ?? 0) > 0)
      assert.equal(calls[0], before)
      await second?.close()
    },
  },
])
