import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The repository's root, from the compiled `dist/test/support/`. */
export const projectRoot: string = fileURLToPath(new URL('../../../', import.meta.url))

/** The built command line. */
export const cliPath: string = fileURLToPath(new URL('../../src/cli/bin.js', import.meta.url))

/** How a child ended. */
export interface ChildExit {
  /** Exit code; `null` when a signal ended it. */
  readonly code: number | null
  /** The signal that ended it, if any. */
  readonly signal: NodeJS.Signals | null
  /** Everything written to standard output. */
  readonly stdout: string
  /** Everything written to standard error. */
  readonly stderr: string
}

/** How to start a child. */
export interface ChildOptions {
  /** Working folder; the repository's root when left out. */
  readonly cwd?: string
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Written to standard input, which is then closed. */
  readonly input?: string
  /**
   * Start it as the leader of a process group; signals then reach its children too, as Ctrl-C does.
   *
   * @defaultValue `false`
   */
  readonly group?: boolean
}

/** A child process of a test. `await using` kills it by its process id. */
export class Child implements AsyncDisposable {
  /** Resolves when the process has ended and its output is complete. Never rejects. */
  readonly exited: Promise<ChildExit>
  readonly #process: ChildProcess
  readonly #isGroup: boolean
  #stdout = ''
  #stderr = ''
  #ended = false
  readonly #listeners = new Set<() => void>()

  constructor(file: string, args: readonly string[], options: ChildOptions = {}) {
    this.#isGroup = options.group === true
    this.#process = spawn(file, args, spawnOptions(options))
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#notify()
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#notify()
    })
    this.#process.stdin?.on('error', () => undefined).end(options.input ?? '')
    this.exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#stderr += String(error)
        this.#settle(resolve, -1, null)
      })
      this.#process.once('close', (code, signal) => {
        this.#settle(resolve, code, signal)
      })
    })
  }

  /** Process id; 0 when the process could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Standard output so far. */
  get stdout(): string {
    return this.#stdout
  }

  /** Standard error so far. */
  get stderr(): string {
    return this.#stderr
  }

  /** Both outputs so far, standard output first: what an assertion's message shows. */
  get output(): string {
    return `${this.#stdout}\n${this.#stderr}`
  }

  /** Send a signal; does nothing once the process has ended. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (this.#ended) return
    if (this.#isGroup && this.pid > 0) killGroup(this.pid, signal)
    else this.#process.kill(signal)
  }

  /** Read no more of what it writes, as `head` does when it has its lines. */
  closeOutputs(): void {
    this.#process.stdout?.destroy()
    this.#process.stderr?.destroy()
  }

  /**
   * Wait until either output contains a line that matches.
   *
   * @returns The first matching line, also when it was written before the call.
   * @throws Error, with the whole output, when the process ends first or `timeoutMs` (20,000) passes.
   */
  async waitForLine(pattern: RegExp | string, timeoutMs = 20_000): Promise<string> {
    const deadline = AbortSignal.timeout(timeoutMs)
    while (true) {
      const line = this.output.split('\n').find((text) => matches(text, pattern))
      if (line !== undefined) return line
      if (this.#ended) throw new Error(`The process ended before ${String(pattern)}:\n${this.output}`)
      if (deadline.aborted) throw new Error(`No ${String(pattern)} in ${timeoutMs} ms:\n${this.output}`)
      await this.#change(deadline)
    }
  }

  /** Kill the process if it still runs, and wait for its end. */
  async stop(): Promise<ChildExit> {
    this.kill('SIGKILL')
    return this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #change(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#listeners.delete(done)
        deadline.removeEventListener('abort', done)
        resolve()
      }
      this.#listeners.add(done)
      deadline.addEventListener('abort', done)
    })
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #settle(resolve: (exit: ChildExit) => void, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#ended) return
    this.#ended = true
    resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
    this.#notify()
  }
}

/** Start Node on a script. */
export function node(script: string, args: readonly string[] = [], options: ChildOptions = {}): Child {
  return new Child(process.execPath, [script, ...args], options)
}

/** Start the built command line, as `lovage(['-A', './tasks.ts', 'worker'])`. */
export function lovage(args: readonly string[], options: ChildOptions = {}): Child {
  return node(cliPath, args, options)
}

/** Run a command to its end, killing it after `timeoutMs` (60,000). */
export async function run(
  file: string,
  args: readonly string[],
  options: ChildOptions & { readonly timeoutMs?: number } = {},
): Promise<ChildExit> {
  const child = new Child(file, args, options)
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
  }, options.timeoutMs ?? 60_000)
  try {
    return await child.exited
  } finally {
    clearTimeout(timer)
  }
}

function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // It has ended, and its output is still being read.
  }
}

function matches(text: string, pattern: RegExp | string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0
}

function spawnOptions(options: ChildOptions): SpawnOptions {
  // Jest's own flags would reach every Node child.
  const inherited = { ...process.env, NODE_OPTIONS: undefined, NO_COLOR: '1', FORCE_COLOR: undefined }
  return {
    cwd: options.cwd ?? projectRoot,
    env: { ...inherited, ...options.env },
    stdio: 'pipe',
    detached: options.group === true,
  }
}
