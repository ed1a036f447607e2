import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'

/** A folder of its own for one test. `await using` removes it; so does {@link TempFolder.remove}. */
export interface TempFolder extends AsyncDisposable {
  /** Absolute path. */
  readonly path: string
  /** Absolute path of an entry of the folder. */
  file(...names: readonly string[]): string
  /** Delete the folder and what is in it. Idempotent. */
  remove(): Promise<void>
}

/** Make an empty folder under the system's temporary one. */
export async function tempFolder(label = 'test'): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `lovage-${label}-`))
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 })
  return {
    path,
    file: (...names) => join(path, ...names),
    remove,
    [Symbol.asyncDispose]: remove,
  }
}

/** A name that no other test uses, as `orders-3f9a0c12`: for queues, tables and files. */
export function randomName(prefix = 'test'): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`
}
