import { appendFileSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { watchCommits } from '../../../../../brokers/sql/engine/watch-file.js'
import { tempFolder, type TempFolder } from '../../../../support/temp.js'

describe('watching the log of a SQLite file', () => {
  let folder: TempFolder
  let path: string
  let stop: () => void
  let looks: number

  beforeEach(async () => {
    folder = await tempFolder()
    path = folder.file('queue.db')
    writeFileSync(`${path}-wal`, '')
    looks = 0
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] })
    stop = watchCommits(path, () => {
      looks += 1
    })
  })

  afterEach(async () => {
    stop()
    jest.useRealTimers()
    await folder.remove()
  })

  /** The file system tells of a write in a later turn; no timer of ours moves meanwhile. */
  async function written(): Promise<void> {
    const before = looks
    appendFileSync(`${path}-wal`, 'page')
    for (let turns = 0; looks === before && turns < 100_000; turns += 1) await turn()
  }

  it('looks at once, and again while the commit may not be visible yet', async () => {
    await written()
    const atOnce = looks
    jest.advanceTimersByTime(100)

    expect(atOnce).toBe(1)
    expect(looks).toBe(13)
  })

  it('a commit does not wait for the late look of an earlier one', async () => {
    await written()
    jest.advanceTimersByTime(50)
    const before = looks

    await written()

    expect(looks).toBe(before + 1)
  })
})
