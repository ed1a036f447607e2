import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'

// The event comes when the first page is written, the commit is visible after the disk has it: so look again, later
// and later. The sum covers a slow disk; what takes longer is found by the poll.
const LOOKS_MS: readonly number[] = [1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 16, 32]

// A look that is further away than this belongs to an older commit: the new one does not wait for it.
const SOON_MS = 2

/**
 * Call `changed` soon after any process committed to a SQLite file in write-ahead mode.
 *
 * Where the file system tells of no changes nothing happens: a poll stands behind this.
 */
export function watchCommits(path: string, changed: () => void): () => void {
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  let look = 0
  let nextMs = 0

  const lookAgain = (): void => {
    timer = undefined
    changed()
    const delayMs = LOOKS_MS[look]
    look += 1
    if (delayMs === undefined || watcher === undefined) return
    nextMs = performance.now() + delayMs
    timer = setTimeout(lookAgain, delayMs)
    timer.unref()
  }
  const written = (): void => {
    look = 0
    if (timer !== undefined && nextMs - performance.now() <= SOON_MS) return
    clearTimeout(timer)
    lookAgain()
  }
  const stop = (): void => {
    watcher?.close()
    watcher = undefined
    clearTimeout(timer)
  }

  try {
    watcher = watch(`${path}-wal`, { persistent: false }, written)
    watcher.on('error', stop)
  } catch {
    // No such file, or no more watches to be had.
  }
  return stop
}
