import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { LovageError } from '../../src/errors/errors.js'
import { Worker } from '../../src/worker/index.js'
import { node } from '../support/child.js'
import { HalfOpenProxy } from '../support/half-open-proxy.js'
import { MongodbServer } from '../support/mongodb-server.js'
import { serviceUrl } from '../support/service-url.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp, type FaultTasks } from './fixture/tasks.js'

const senderProcess = fileURLToPath(new URL('./fixture/sender-process.js', import.meta.url))
const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const rounds = isFull ? 100 : 1
/** Of faults that take a minute. */
const longRounds = isFull ? 5 : 1
const RESUMES_MS = 10_000
/** The pool keeps connections that were needed at once, for as long as it likes. */
const SPARE_CONNECTIONS = 10
/** How long the server may take to answer before the connection is given up. */
const ANSWER = 1

jest.setTimeout(isFull ? 3_600_000 : 120_000)

function urlAt(port: number): string {
  return `mongodb://127.0.0.1:${String(port)}/line?directConnection=true&socket_timeout=${String(ANSWER)}`
}

/** A worker that reaches its server through a proxy, and a client that does not. */
class Line implements AsyncDisposable {
  readonly server: MongodbServer
  readonly proxy: HalfOpenProxy
  readonly client: FaultTasks
  readonly far: FaultTasks
  readonly runs: NotedRuns
  readonly #folder: TempFolder
  #worker: Worker | undefined

  private constructor(server: MongodbServer, proxy: HalfOpenProxy, folder: TempFolder) {
    this.server = server
    this.proxy = proxy
    this.#folder = folder
    this.runs = new NotedRuns(folder.file('runs.log'))
    this.client = faultApp({ broker: urlAt(server.port) })
    this.far = faultApp({ broker: urlAt(proxy.port), lease: 4 })
  }

  static async open(): Promise<Line> {
    const server = await MongodbServer.start()
    return new Line(server, await HalfOpenProxy.open(server.port), await tempFolder('line'))
  }

  async work(): Promise<void> {
    this.#worker = new Worker(this.far.app, { concurrency: 5 })
    await this.#worker.start()
    await this.answers()
  }

  /** Milliseconds until a new task is run and its result is here. */
  async answers(): Promise<number> {
    const beganMs = performance.now()
    const result = await this.client.note.delay(this.runs.path, 'probe')
    await result.get(60)
    return performance.now() - beganMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop({ hard: true })
    await this.far.app.close()
    await this.client.app.close()
    await this.proxy[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
    await this.#folder.remove()
  }
}

/** What goes wrong, until it is over for the server and the network. */
const faults: Readonly<Record<string, (line: Line) => Promise<void>>> = {
  'is reset': async ({ proxy }) => proxy.cut(),
  'is closed': async ({ proxy }) => proxy.hangUp(),
  'goes dead without a word': async ({ proxy }) => {
    const bury = proxy.freeze()
    setTimeout(bury, 4_000 * ANSWER).unref()
  },
  'stalls for longer than the worker waits': async ({ proxy }) => {
    proxy.fallSilent()
    await sleep(isFull ? 60_000 : 3_000)
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
  let line: Line

  beforeAll(async () => {
    line = await Line.open()
    await line.work()
  })

  afterAll(async () => {
    await line?.[Symbol.asyncDispose]()
  })

  it.each(Object.entries(faults))('%s goes on within ten seconds and loses nothing', async (what, strike) => {
    const { client, runs, proxy } = line
    const before = proxy.connections
    const times = what.startsWith('stalls') ? longRounds : rounds
    for (let round = 1; round <= times; round += 1) {
      const sent = await Promise.all(
        Array.from({ length: 20 }, (_, n) => client.wait.delay(runs.path, `task-${n}`, 20 * n)),
      )
      await strike(line)

      expect(await line.answers()).toBeLessThan(RESUMES_MS)
      const pids = await Promise.all(sent.map((result) => result.get(60)))
      expect(pids).toEqual(sent.map(() => process.pid))
    }
    // What was given up may take as long to be found dead.
    const endMs = performance.now() + 15_000
    while (proxy.connections > before + SPARE_CONNECTIONS && performance.now() < endMs) await sleep(100)
    expect(proxy.connections).toBeLessThanOrEqual(before + SPARE_CONNECTIONS)
  })

  it('may be silent: sending fails within its deadline, a second time too', async () => {
    await using proxy = await HalfOpenProxy.open(line.server.port)
    const { app, note } = faultApp({
      broker: urlAt(proxy.port),
      publishTimeout: 1,
      taskPublishRetry: false,
      taskIgnoreResult: true,
    })
    await note.delay(line.runs.path, 'heard')
    proxy.fallSilent()

    for (let time = 0; time < 2; time += 1) {
      const beganMs = performance.now()
      await expect(note.delay(line.runs.path, 'unheard')).rejects.toBeInstanceOf(LovageError)
      expect(performance.now() - beganMs).toBeLessThan(6_500)
    }
    await app.close()
  })

  it('never comes about: a process that sends is told so, and ends by itself once it has closed', async () => {
    await using proxy = await HalfOpenProxy.open(line.server.port)
    proxy.fallSilent()
    await using child = node(senderProcess, [urlAt(proxy.port)])

    const exit = await child.exited

    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(exit.stdout.trim().split('\n')).toEqual(['LOVAGE_BROKER_CONNECTION', 'LOVAGE_BROKER_CONNECTION'])
  })
})
