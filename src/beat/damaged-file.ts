import { existsSync, renameSync } from 'node:fs'
import { StoreDamagedError } from '../errors/errors.js'
import type { Clock } from '../util/clock.js'
import { toError } from '../util/to-error.js'

/** What SQLite keeps beside a file, which belongs to it. */
const BESIDE = ['-wal', '-shm']

/**
 * Give a damaged SQLite file another name, so that a new one can be made in its place and somebody can look at the old.
 *
 * @returns The new name: the old one, `.damaged-` and the time.
 * @throws {@link StoreDamagedError} when it cannot be renamed.
 */
export function keepDamagedFile({ file, message }: StoreDamagedError, clock: Clock): string {
  const stamp = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  let aside = `${file}.damaged-${stamp}`
  for (let count = 2; existsSync(aside); count += 1) aside = `${file}.damaged-${stamp}-${String(count)}`
  try {
    // What lies beside it first: a new file must not find the log of the old one.
    for (const end of BESIDE) if (existsSync(file + end)) renameSync(file + end, aside + end)
    renameSync(file, aside)
  } catch (thrown) {
    const cause = toError(thrown)
    throw new StoreDamagedError(file, `${message}; it cannot be set aside: ${cause.message}`, { cause })
  }
  return aside
}
