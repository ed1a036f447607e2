import { mkdir } from 'node:fs/promises'
import { it } from '@jest/globals'
import { run } from './child.js'
import { tempFolder } from './temp.js'

/** A small file system; `await using` takes it away. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string
  /** Make it many times as large. */
  grow(): Promise<void>
}

/** `it` where this user may mount a file system, else a counted skip whose reason is printed. */
export async function itWithSmallDisk(): Promise<typeof it | typeof it.skip> {
  await using folder = await tempFolder('disk')
  try {
    await using _disk = await smallDisk(folder.file('disk'), 1)
    return it
  } catch (error) {
    process.stderr.write(`skipped: ${error instanceof Error ? error.message : ''}\n`)
    return it.skip
  }
}

/** A file system of this many MiB that everyone may write to. Rejects where this user may not mount one. */
export async function smallDisk(path: string, sizeMiB: number): Promise<SmallDisk> {
  await mkdir(path)
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=777`, 'tmpfs', path])
  if (mounted.code !== 0) throw new Error(`a full disk cannot be had: ${mounted.stderr.trim()}`)
  return {
    path,
    grow: async () => {
      await run('mount', ['-o', `remount,size=${sizeMiB * 16}m`, path])
    },
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['-l', path])
    },
  }
}
