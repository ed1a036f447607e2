import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { isRecord } from '../../../src/util/record.js'

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** A real Python client in a process of its own that runs what it is told, one piece after another. */
export class PythonClient implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, Waiting>()
  readonly #exited: Promise<void>
  #next = 1
  #stderr = ''

  private constructor(python: string, folder: string, env: Readonly<Record<string, string>>) {
    this.#process = spawn(python, ['client.py'], { cwd: folder, env: { ...process.env, ...env } })
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.#process.stdin.on('error', () => undefined)
    this.#exited = new Promise((resolve) => {
      this.#process.once('error', (error) => this.#end(`${String(error)}\n`, resolve))
      this.#process.once('close', () => this.#end('', resolve))
    })
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#answered(line))
  }

  /** Start it; what it is told first waits until it is up. */
  static start(python: string, folder: string, env: Readonly<Record<string, string>>): PythonClient {
    return new PythonClient(python, folder, env)
  }

  /**
   * Run the body of a Python function that sees the app and its tasks; its return value must be JSON.
   *
   * @throws Error with Python's traceback.
   */
  async run<Value = unknown>(code: string): Promise<Value> {
    const id = this.#next
    this.#next += 1
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#process.stdin.write(`${JSON.stringify({ id, code })}\n`)
    // What Python returns is what the test expects of it; a wrong guess fails the test.
    return (await answer) as Value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exited
  }

  #answered(line: string): void {
    if (!line.startsWith('OUT ')) return
    const reply: unknown = JSON.parse(line.slice(4))
    if (!isRecord(reply) || typeof reply['id'] !== 'number') return
    const waiting = this.#waiting.get(reply['id'])
    this.#waiting.delete(reply['id'])
    if ('error' in reply) waiting?.reject(new Error(`Python says: ${String(reply['error'])}`))
    else waiting?.resolve(reply['value'])
  }

  #end(words: string, resolve: () => void): void {
    for (const { reject } of this.#waiting.values())
      reject(new Error(`the Python client ended: ${words}${this.#stderr}`))
    this.#waiting.clear()
    resolve()
  }
}
