import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { EXIT, type ExitCode } from '../exit-code.js'
import type { CommandContext } from '../command-context.js'
import { onStopSignals, type StopSignal } from '../stop-signals.js'
import { SourceWatch } from './source-watch.js'

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
  const folder = file === undefined ? session.io.cwd : packageFolder(dirname(file))
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

/** The folder of the package that a folder belongs to; itself outside of packages. */
function packageFolder(folder: string): string {
  for (let above = folder; ; above = dirname(above)) {
    if (existsSync(join(above, 'package.json'))) return above
    if (dirname(above) === above) return folder
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
