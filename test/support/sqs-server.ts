import { isRecord } from '../../src/util/record.js'
import { tempFolder, type TempFolder } from './temp.js'

interface Running {
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** An ElasticMQ of one test, which it may kill and start again; `await using` ends it. */
export class SqsServer implements AsyncDisposable {
  readonly #folder: TempFolder
  readonly #keeps: boolean
  #running: Running

  private constructor(folder: TempFolder, keeps: boolean, running: Running) {
    this.#folder = folder
    this.#keeps = keeps
    this.#running = running
  }

  /** Start one on a port of its own; with `keeps` its queues are on disk, which it is slow with. */
  static async start({ keeps = false }: { readonly keeps?: boolean } = {}): Promise<SqsServer> {
    const folder = await tempFolder('sqs')
    return new SqsServer(folder, keeps, await startIn(folder.path, { keeps }))
  }

  get url(): string {
    return this.#running.url
  }

  get port(): number {
    return Number(new URL(this.url.replace(/^sqs:/, 'http:')).port)
  }

  /** Kill it as `kill -9` does. */
  async kill(): Promise<void> {
    process.kill(this.#running.pid, 'SIGKILL')
    await this.#running.stop()
  }

  /** Start it again on the same port, with the queues that it had, and wait until it has answered a request. */
  async startAgain(): Promise<void> {
    this.#running = await startIn(this.#folder.path, { port: this.port, keeps: this.#keeps })
    const url = `http://127.0.0.1:${String(this.port)}/?Action=ListQueues`
    // A Java program that was just started is slow: its first answers take seconds on a busy machine.
    for (let times = 0; times < 3; times += 1) await fetch(url, { method: 'POST' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop()
    await this.#folder.remove()
  }
}

async function startIn(
  folder: string,
  options: { readonly port?: number; readonly keeps: boolean },
): Promise<Running> {
  // As the runner starts one: a script that is not compiled.
  const script = new URL('../../../test/support/service/sqs.mjs', import.meta.url).href
  const module: unknown = await import(script)
  const start = isRecord(module) ? module['startElasticMq'] : undefined
  if (typeof start !== 'function') throw new TypeError('the script that starts ElasticMQ has changed')
  const started: unknown = await Reflect.apply(start, undefined, [folder, options])
  const { url, pid, stop } = isRecord(started) ? started : {}
  if (typeof url !== 'string' || typeof pid !== 'number' || typeof stop !== 'function') {
    throw new TypeError('no server was started')
  }
  return {
    url,
    pid,
    stop: async () => {
      await Reflect.apply(stop, undefined, [])
    },
  }
}
