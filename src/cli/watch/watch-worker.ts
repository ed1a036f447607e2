import { spawn, type ChildProcess } from 'node:child_process'
import { watch, type FSWatcher } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { packageFolder } from '../../util/package-folder.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import type { CommandContext } from '../command-context.js'
import { onStopSignals, type StopSignal } from '../stop-signals.js'
import { readdir } from 'node:fs/promises'

const PROGRAM = fileURLToPath(new URL('../bin.js', import.meta.url))

/**
 * Run `lovage worker` as a child and start it anew whenever a source file changes; running tasks end first.
 *
 * @returns The exit code of the last worker, once a signal has stopped it or the command line was refused.
 */
export async function watchWorker(session: CommandContext): Promise<ExitCode> {
  const loop = new RestartLoop(session)
  using watch = new SourceWatch((file) => loop.changed(relative(session.io.cwd, file)))
  const file = await session.appFile()
  const folder = file === undefined ? session.io.cwd : (packageFolder(dirname(file)) ?? dirname(file))
  await watch.add(folder)
  // The app may lie in a folder of built files.
  if (file !== undefined) await watch.add(dirname(file))
  const forward = (signal: StopSignal): void => loop.stop(signal)
  const release = onStopSignals({ warm: forward, cold: forward, now: forward })
  try {
    session.note(`Watching ${folder}; a change restarts the worker once its running tasks have ended.`)
    return await loop.run()
  } finally {
    release()
  }
}

class RestartLoop {
  readonly #session: CommandContext
  #child: ChildProcess | undefined
  #isStopping = false
  #isStale = false
  #wake: () => void = () => undefined

  constructor(session: CommandContext) {
    this.#session = session
  }

  /** Restart the worker, or start it again where it has ended by itself. */
  changed(file: string): void {
    if (this.#isStopping || this.#isStale) return
    this.#isStale = true
    this.#session.note(`${file} has changed: restarting the worker`)
    this.#child?.kill('SIGTERM')
    this.#wake()
  }

  /** Pass a signal on; when the worker has ended, so does {@link run}. */
  stop(signal: StopSignal): void {
    this.#isStopping = true
    this.#child?.kill(signal)
    this.#wake()
  }

  /** Resolves with the code of the last worker. */
  async run(): Promise<ExitCode> {
    for (;;) {
      const code = await this.#runChild()
      if (code === EXIT.usage || !(await this.#mayStartAgain(code))) return code
    }
  }

  async #mayStartAgain(code: ExitCode): Promise<boolean> {
    if (!this.#isStopping && !this.#isStale) {
      this.#session.note(`The worker ended with exit code ${code}; waiting for a change.`)
      await this.#change()
    }
    return !this.#isStopping
  }

  #runChild(): Promise<ExitCode> {
    this.#isStale = false
    const { argv, cwd } = this.#session.start
    // The worker ends when this process has died.
    const words = argv.map((word) => (word === '--watch' ? '--watched' : word))
    const child = spawn(process.execPath, [...process.execArgv, PROGRAM, ...words], {
      cwd,
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    })
    this.#child = child
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => {
        this.#child = undefined
        resolve(asExitCode(code))
      })
    })
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

/** A worker that a signal ended has no code of its own. */
function asExitCode(code: number | null): ExitCode {
  return Object.values(EXIT).find((known) => known === code) ?? EXIT.failed
}

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
class SourceWatch implements Disposable {
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
