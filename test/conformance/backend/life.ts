import assert from 'node:assert/strict'
import type { ResultBackend } from '../../../src/backend/contract.js'
import { codeOf } from '../broker/stage.js'
import { never } from '../time.js'
import { newId, toRecord, backendChecks } from './stage.js'
import type { BackendCheck } from './stage.js'
import type { BackendPart } from './subject.js'

function partsOf(backend: ResultBackend): BackendPart[] {
  const parts: (BackendPart | false)[] = [
    backend.shared && 'shared',
    backend.watch !== undefined && 'watch',
    backend.cleanup !== undefined && 'cleanup',
    backend.groups !== undefined && 'groups',
    backend.chords !== undefined && 'chords',
  ]
  return parts.filter((part) => part !== false)
}

/** Connecting, closing, and what a driver says of itself. */
export const backendLifeChecks: readonly BackendCheck[] = backendChecks([
  {
    name: 'offers exactly the parts it is listed with',
    run: async ({ backend, subject }) => {
      assert.deepEqual(partsOf(backend).sort(), [...subject.offers].sort())
      assert.ok(backend.name.length > 0)
    },
  },
  {
    name: 'connects once, however often it is asked',
    run: async ({ subject }) => {
      const backend = await subject.open()

      await Promise.all([backend.connect(never), backend.connect(never)])
      await backend.connect(never)

      await backend.close()
    },
  },
  {
    name: 'closes twice, and before it was connected',
    run: async ({ subject }) => {
      const backend = await subject.open()

      await backend.close()
      await backend.close()
    },
  },
  {
    name: 'refuses to be used after it was closed',
    run: async (stage) => {
      const backend = await stage.open()

      await backend.close()

      assert.equal(await codeOf(backend.load([newId()])), 'LOVAGE_BACKEND')
      assert.equal(await codeOf(backend.store([toRecord(newId())], { ttlMs: 0 })), 'LOVAGE_BACKEND')
      assert.equal(await codeOf(backend.connect(never)), 'LOVAGE_BACKEND')
    },
  },
])
