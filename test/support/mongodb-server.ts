import { isRecord } from '../../src/util/record.js'
import { tempFolder, type TempFolder } from './temp.js'

interface Running {
  readonly url: string
  readonly port: number
  readonly stop: () => Promise<void>
}

/** A MongoDB server of one test, which it may stop and start again; `await using` ends it. */
export class MongodbServer implements AsyncDisposable {
  readonly #folder: TempFolder
  #running: Running

  private constructor(folder: TempFolder, running: Running) {
    this.#folder = folder
    this.#running = running
  }

  /** Start one; with `keeps` its data is on disk and found again, which the stand-in is slow with. */
  static async start({ keeps = true }: { readonly keeps?: boolean } = {}): Promise<MongodbServer> {
    const folder = await tempFolder('mongodb')
    return new MongodbServer(folder, await startIn(folder.path, { keeps }))
  }

  get url(): string {
    return this.#running.url
  }

  get port(): number {
    return this.#running.port
  }

  /** End it. */
  async stop(): Promise<void> {
    await this.#running.stop()
  }

  /** Start it again on the same port, with what it has on disk. */
  async startAgain(): Promise<void> {
    this.#running = await startIn(this.#folder.path, { port: this.port, keeps: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#folder.remove()
  }
}

async function startIn(
  folder: string,
  options: { readonly port?: number; readonly keeps: boolean },
): Promise<Running> {
  // As the runner starts one: a script that is not compiled.
  const script = new URL('../../../test/support/service/mongodb.mjs', import.meta.url).href
  const module: unknown = await import(script)
  const start = isRecord(module) ? module['startMongodb'] : undefined
  if (typeof start !== 'function') throw new TypeError('the script that starts MongoDB has changed')
  const started: unknown = await Reflect.apply(start, undefined, [folder, options])
  const { url, stop } = isRecord(started) ? started : {}
  if (typeof url !== 'string' || typeof stop !== 'function') throw new TypeError('no server was started')
  return {
    url,
    port: Number(new URL(url).port),
    stop: async () => {
      await Reflect.apply(stop, undefined, [])
    },
  }
}
