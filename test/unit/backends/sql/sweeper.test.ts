import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../../backends/sql/index.js'
import { Sweeper } from '../../../../backends/sql/sweeper.js'
import { chooseEngine } from '../../../../brokers/sql/engine/choose.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { jsonCodec } from '../../../conformance/index.js'
import { eventually } from '../../../conformance/time.js'
import { sqliteUrl } from '../../../support/sqlite.js'
import { tempFolder } from '../../../support/temp.js'
import type { TempFolder } from '../../../support/temp.js'

const never = new AbortController().signal
const folders: TempFolder[] = []

afterEach(async () => {
  for (const folder of folders.splice(0)) await folder.remove()
})

describe('Sweeper', () => {
  it('sweeps in slices until one is not full', async () => {
    const left = [1000, 1000, 7]
    const limits: number[] = []
    const sweeper = new Sweeper(async (limit) => {
      limits.push(limit)
      return Promise.resolve(left.shift() ?? 0)
    })

    expect(await sweeper.sweep()).toBe(2007)

    expect(limits).toEqual([1000, 1000, 1000])
  })

  it('begins at a store, and not again within a minute', async () => {
    let nowMs = 0
    let sweeps = 0
    let swept = (): void => undefined
    const sweeper = new Sweeper(
      async () => {
        sweeps += 1
        swept()
        return Promise.resolve(0)
      },
      () => nowMs,
    )
    const aSweep = async (): Promise<void> =>
      new Promise((resolve) => {
        swept = resolve
        sweeper.stored()
      })

    await aSweep()
    await turn()
    nowMs = 59_000
    sweeper.stored()
    nowMs = 80_000
    await aSweep()

    expect(sweeps).toBe(2)
  })

  it('lets a sweep that fails pass', async () => {
    const sweeper = new Sweeper(async () => Promise.reject(new Error('locked')))

    sweeper.stored()

    await expect(sweeper.close()).resolves.toBeUndefined()
  })
})

describe('SqlBackend', () => {
  it('deletes expired rows by itself when it stores', async () => {
    const folder = await tempFolder('sweep')
    folders.push(folder)
    const path = folder.file('results.db')
    const record = (taskId: string) => ({ taskId, state: 'SUCCESS', result: 1, children: [] })
    const open = () => createBackend(parseConnectionUrl(sqliteUrl(path)), { codec: jsonCodec })
    const earlier = open()
    await earlier.connect(never)
    await earlier.store([record('old')], { ttlMs: 60_000 })
    const native = (await chooseEngine(undefined)).open(path)
    native.prepare('UPDATE celery_taskmeta SET lovage_expires_ms = 1').run([])
    const later = open()
    await later.connect(never)

    await later.store([record('new')], { ttlMs: 60_000 })

    const idsLeft = (): readonly unknown[] =>
      native
        .prepare('SELECT task_id FROM celery_taskmeta')
        .all([])
        .map(([id]) => id)
    await eventually(() => idsLeft().length < 2)
    expect(idsLeft()).toEqual(['new'])
    native.close()
    await later.close()
    await earlier.close()
  })
})
