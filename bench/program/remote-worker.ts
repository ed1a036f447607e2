import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { answer, exitOf, isSample } from '../harness/child.js'
import type { Sample } from '../harness/scenario.js'

/** A worker in another process. */
export class RemoteWorker {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Start one on a SQLite file or the URL of a server; resolves when it claims. @param words - `results` keeps them. */
  static async start(place: string, concurrency: number, ...words: string[]): Promise<RemoteWorker> {
    const program = fileURLToPath(new URL('worker-process.js', import.meta.url))
    const child = fork(program, [place, String(concurrency), ...words])
    await answer(child, isText)
    return new RemoteWorker(child)
  }

  /** Memory in MiB and processor time in milliseconds so far. */
  usage(): Promise<Sample> {
    return this.#ask('usage', isSample)
  }

  /** Milliseconds from each send to the start of its body. */
  async latenciesMs(): Promise<readonly number[]> {
    return Object.values(await this.#ask('latencies', isSample))
  }

  /** Resolves when it has run this many no-op tasks in all. */
  async ran(count: number): Promise<void> {
    await this.#ask(`ran ${count}`, isText)
  }

  /** Stop it; resolves when the process has ended. */
  async stop(): Promise<void> {
    const exited = exitOf(this.#child)
    this.#child.send('stop')
    await exited
  }

  #ask<Kind>(question: string, isKind: (message: unknown) => message is Kind): Promise<Kind> {
    const answered = answer(this.#child, isKind)
    this.#child.send(question)
    return answered
  }
}

function isText(message: unknown): message is string {
  return typeof message === 'string'
}
