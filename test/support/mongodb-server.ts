import { isRecord } from '../../src/util/record.js'
import { tempFolder, type TempFolder } from './temp.js'

interface Running {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** How one is started. */
interface Start {
  readonly port?: number
  /** Data is on disk and found again, which the stand-in is slow with; a replica set always keeps it. */
  readonly keeps: boolean
  /** A replica set of one member, in place of whatever is there. */
  readonly isSet: boolean
}

/** A MongoDB server of one test, which it may stop and start again; `await using` ends it. */
export class MongodbServer implements AsyncDisposable {
  readonly #folder: TempFolder
  readonly #start: Start
  #running: Running

  private constructor(folder: TempFolder, start: Start, running: Running) {
    this.#folder = folder
    this.#start = start
    this.#running = running
  }

  /** Start one. */
  static async start(options: Partial<Omit<Start, 'port'>> = {}): Promise<MongodbServer> {
    const start = { keeps: true, isSet: false, ...options }
    const folder = await tempFolder('mongodb')
    return new MongodbServer(folder, start, await startIn(folder.path, start))
  }

  get url(): string {
    return this.#running.url
  }

  get port(): number {
    return this.#running.port
  }

  /** Send its process a signal. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#running.pid, signal)
  }

  /** End it as `kill -9` does. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.stop()
  }

  /** End it. */
  async stop(): Promise<void> {
    await this.#running.stop()
  }

  /** Start it again on the same port, with what it has on disk. */
  async startAgain(): Promise<void> {
    this.#running = await startIn(this.#folder.path, { ...this.#start, port: this.port })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#folder.remove()
  }
}

async function startIn(folder: string, { isSet, ...options }: Start): Promise<Running> {
  // As the runner starts one: a script that is not compiled.
  const file = isSet ? 'mongodb-set.mjs' : 'mongodb.mjs'
  const script = new URL(`../../../test/support/service/${file}`, import.meta.url).href
  const module: unknown = await import(script)
  const start = isRecord(module) ? module[isSet ? 'startMongodbSet' : 'startMongodb'] : undefined
  if (typeof start !== 'function') throw new TypeError('the script that starts MongoDB has changed')
  const started: unknown = await Reflect.apply(start, undefined, [folder, options])
  const { url, pid, stop } = isRecord(started) ? started : {}
  if (typeof url !== 'string' || typeof pid !== 'number' || typeof stop !== 'function') {
    throw new TypeError('no server was started')
  }
  return {
    url,
    pid,
    port: Number(new URL(url).port),
    stop: async () => {
      await Reflect.apply(stop, undefined, [])
    },
  }
}
