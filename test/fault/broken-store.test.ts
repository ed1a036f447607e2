import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import Database from 'libsql'
import { FaultBench } from './fixture/fault-bench.js'

jest.setTimeout(120_000)

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
})
