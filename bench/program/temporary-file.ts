import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Do `work` with the path of a SQLite file that does not exist yet, and remove its folder afterwards. */
export async function withFile<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'lovage-bench-'))
  try {
    return await work(join(folder, 'queue.db'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
