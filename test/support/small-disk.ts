import { mkdir } from 'node:fs/promises'
import { run } from './child.js'

/** A small file system; `await using` takes it away. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string
  /** Make it many times as large. */
  grow(): Promise<void>
}

/** A file system of this many MiB that everyone may write to; `undefined` where this user may not mount one. */
export async function smallDisk(path: string, sizeMiB: number): Promise<SmallDisk | undefined> {
  await mkdir(path)
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=777`, 'tmpfs', path])
  if (mounted.code !== 0) {
    process.stderr.write(`skipped: a full disk cannot be had: ${mounted.stderr}`)
    return undefined
  }
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
