import { existsSync, readFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import Database from 'libsql'
import { eventually } from '../conformance/time.js'
import { itWithSmallDisk, smallDisk } from '../support/small-disk.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { FaultBench } from './fixture/fault-bench.js'

jest.setTimeout(120_000)

const itOnDisk = await itWithSmallDisk()

/** A folder that its owner removes otherwise. */
function mountPoint(path: string): TempFolder {
  const remove = async (): Promise<void> => {}
  return { path, file: (...names) => join(path, ...names), remove, [Symbol.asyncDispose]: remove }
}

/** Write until nothing more fits. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(4096)
  try {
    for (;;) await file.write(block)
  } catch {
    // It is full now.
  } finally {
    await file.close()
  }
}

describe('a store that refuses to work for a while', () => {
  it('being locked by somebody else: the worker waits, and its task is stored once', async () => {
    await using bench = await FaultBench.open()
    const worker = await bench.worker()
    const result = await bench.tasks.wait.delay(bench.log, 'a', 500)
    while (bench.runs('a').length === 0) await sleep(10)

    const other = new Database(bench.file)
    other.exec('BEGIN EXCLUSIVE')
    await sleep(12_000)
    other.exec('ROLLBACK')
    other.close()

    expect(await result.get(30)).toBe(worker.pid)
    expect(bench.runs('a')).toHaveLength(1)
    expect(await (await bench.tasks.note.delay(bench.log, 'b')).get(30)).toBe(worker.pid)
  })

  itOnDisk(
    'having no room left: the result is stored once there is some again, of the one run there was',
    async () => {
      await using folder = await tempFolder('full')
      await using mounted = await smallDisk(folder.file('disk'), 4)
      const disk = mountPoint(mounted.path)
      await using bench = FaultBench.openIn(disk)
      const log = folder.file('runs.log')
      const worker = await bench.worker()
      const result = await bench.tasks.wait.delay(log, 'a', 500)
      await eventually(() => existsSync(log))

      await fill(disk.file('filler'))
      await worker.waitForLine(/could not be written|Connection to broker lost/)
      await sleep(2_000)
      await rm(disk.file('filler'))

      expect(await result.get(30)).toBe(worker.pid)
      expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(1)
    },
  )
})
