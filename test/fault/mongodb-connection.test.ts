import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Worker } from '../../src/worker/index.js'
import { HalfOpenProxy } from '../support/half-open-proxy.js'
import { MongodbServer } from '../support/mongodb-server.js'
import { serviceUrl } from '../support/service-url.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { faultApp, type FaultTasks } from './fixture/tasks.js'

const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const rounds = isFull ? 20 : 1
const RESUMES_MS = 15_000

jest.setTimeout(isFull ? 3_600_000 : 120_000)

/** A worker that reaches its server through a proxy, and a client that does not. */
class Line implements AsyncDisposable {
  readonly server: MongodbServer
  readonly proxy: HalfOpenProxy
  readonly #client: FaultTasks
  readonly #far: FaultTasks
  readonly #folder: TempFolder
  #worker: Worker | undefined

  private constructor(server: MongodbServer, proxy: HalfOpenProxy, folder: TempFolder) {
    this.server = server
    this.proxy = proxy
    this.#folder = folder
    const at = (port: number): string =>
      `mongodb://127.0.0.1:${String(port)}/line?directConnection=true&socket_timeout=1`
    this.#client = faultApp({ broker: at(server.port) })
    this.#far = faultApp({ broker: at(proxy.port), lease: 4 })
  }

  static async open(): Promise<Line> {
    const server = await MongodbServer.start()
    return new Line(server, await HalfOpenProxy.open(server.port), await tempFolder('line'))
  }

  async work(): Promise<void> {
    this.#worker = new Worker(this.#far.app, { concurrency: 5 })
    await this.#worker.start()
    await this.answers()
  }

  /** Milliseconds until a new task is run and its result is here. */
  async answers(): Promise<number> {
    const beganMs = performance.now()
    const result = await this.#client.note.delay(this.#folder.file('runs.log'), 'probe')
    await result.get(60)
    return performance.now() - beganMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop({ hard: true })
    await this.#far.app.close()
    await this.#client.app.close()
    await this.proxy[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
    await this.#folder.remove()
  }
}

/** What goes wrong, until it is over for the server and the network. */
const faults: Readonly<Record<string, (line: Line) => Promise<void>>> = {
  'is reset': async ({ proxy }) => {
    proxy.cut()
    await Promise.resolve()
  },
  'stalls for longer than the worker waits': async ({ proxy }) => {
    proxy.fallSilent()
    await sleep(3_000)
    proxy.speak()
  },
  'ends with the server, which is started again': async ({ server }) => {
    await server.stop()
    await sleep(200)
    await server.startAgain()
  },
}

const withServer = serviceUrl('mongodb') === undefined ? describe.skip : describe

withServer('a worker whose connection to MongoDB', () => {
  let line: Line | undefined

  beforeAll(async () => {
    line = await Line.open()
    await line.work()
  })

  afterAll(async () => {
    await line?.[Symbol.asyncDispose]()
  })

  for (const [what, happens] of Object.entries(faults)) {
    it(`${what} goes on with its work`, async () => {
      for (let round = 0; round < rounds; round += 1) {
        if (line !== undefined) await happens(line)

        expect(await line?.answers()).toBeLessThan(RESUMES_MS)
      }
    })
  }
})
