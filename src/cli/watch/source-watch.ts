import { watch, type FSWatcher } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

const SOURCE = /\.([cm]?[jt]s|[jt]sx|ini)$/
/** Folders that hold no sources of the user's own; those with a leading dot are left out, too. */
const IGNORED: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage'])
/** Editors write a file in several steps. */
const SETTLE_MS = 100

/**
 * Tells when a source file below a folder changes.
 *
 * One watch for each folder: the recursive watch of Node would go through `node_modules`, too.
 */
export class SourceWatch implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #changed: (file: string) => void
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param changed - Called once for changes that come together, with the path of one of the files. */
  constructor(changed: (file: string) => void) {
    this.#changed = changed
  }

  /** Watch a folder and those below it. Resolves when all are watched. */
  async add(folder: string): Promise<void> {
    if (this.#isClosed || this.#watchers.has(folder)) return
    this.#watchFolder(folder)
    // A folder may be gone again by now.
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    const folders = entries.filter((entry) => entry.isDirectory() && isWatched(entry.name))
    await Promise.all(folders.map((entry) => this.add(join(folder, entry.name))))
  }

  /** Watch nothing any more. */
  [Symbol.dispose](): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name !== null) this.#touched(folder, name)
      })
      watcher.on('error', () => this.#drop(folder))
      this.#watchers.set(folder, watcher)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }

  #touched(folder: string, name: string): void {
    const path = join(folder, name)
    if (SOURCE.test(name)) {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#changed(path), SETTLE_MS)
      return
    }
    // It may be a new folder.
    if (isWatched(name))
      void readdir(path).then(
        () => this.add(path),
        () => this.#drop(path),
      )
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }
}

function isWatched(name: string): boolean {
  return !name.startsWith('.') && !IGNORED.has(name)
}
