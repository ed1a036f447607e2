import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { LovageError } from '../../src/errors/errors.js'
import { Worker } from '../../src/worker/index.js'
import { node } from '../support/child.js'
import { HalfOpenProxy } from '../support/half-open-proxy.js'
import { serviceUrl } from '../support/service-url.js'
import { SqsServer } from '../support/sqs-server.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp, type FaultTasks } from './fixture/tasks.js'

const senderProcess = fileURLToPath(new URL('./fixture/sender-process.js', import.meta.url))
const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const rounds = isFull ? 20 : 1
const RESUMES_MS = 10_000

jest.setTimeout(isFull ? 3_600_000 : 180_000)

/** A worker that reaches its server through a proxy, and a client that does not; results lie in a file. */
class Line implements AsyncDisposable {
  readonly server: SqsServer
  readonly proxy: HalfOpenProxy
  readonly client: FaultTasks
  readonly runs: NotedRuns
  readonly #far: FaultTasks
  readonly #folder: TempFolder
  #worker: Worker | undefined

  private constructor(server: SqsServer, proxy: HalfOpenProxy, folder: TempFolder) {
    this.server = server
    this.proxy = proxy
    this.#folder = folder
    this.runs = new NotedRuns(folder.file('runs.log'))
    const backend = `sqlite:///${folder.file('results.sqlite')}`
    // A server that was just started may be slow.
    this.client = faultApp({ broker: at(server.port), backend, publishTimeout: 20 })
    this.#far = faultApp({ broker: at(proxy.port), backend, lease: 4 })
  }

  static async open(): Promise<Line> {
    const server = await SqsServer.start({ keeps: true })
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
    const result = await this.client.note.delay(this.runs.path, 'probe')
    await result.get(60)
    return performance.now() - beganMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop({ hard: true })
    await this.#far.app.close()
    await this.client.app.close()
    await this.proxy[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
    await this.#folder.remove()
  }
}

/** A broker's URL; answers are given up after two seconds. */
function at(port: number): string {
  return `sqs://x:x@127.0.0.1:${String(port)}?region=elasticmq&answer_timeout=2`
}

/** What goes wrong, until it is over for the network. */
const faults: Readonly<Record<string, (line: Line) => Promise<void>>> = {
  'is reset': async ({ proxy }) => proxy.cut(),
  'is closed': async ({ proxy }) => proxy.hangUp(),
  'goes dead without a word': async ({ proxy }) => {
    setTimeout(proxy.freeze(), 20_000).unref()
  },
  'stalls for longer than the worker waits': async ({ proxy }) => {
    proxy.fallSilent()
    await sleep(isFull ? 60_000 : 3_000)
    proxy.speak()
  },
}

const withServer = serviceUrl('sqs') === undefined ? describe.skip : describe

withServer('a worker whose connection to SQS', () => {
  let line: Line

  beforeAll(async () => {
    line = await Line.open()
    await line.work()
  })

  afterAll(async () => {
    await line[Symbol.asyncDispose]()
  })

  it.each(Object.entries(faults))(
    '%s goes on within ten seconds and loses nothing',
    async (_what, strike) => {
      const { client, runs } = line
      for (let round = 1; round <= rounds; round += 1) {
        const sent = await Promise.all(
          Array.from({ length: 20 }, (_, n) => client.wait.delay(runs.path, `task-${n}`, 20 * n)),
        )
        await strike(line)

        expect(await line.answers()).toBeLessThan(RESUMES_MS)
        const pids = await Promise.all(sent.map((result) => result.get(60)))
        expect(pids).toEqual(sent.map(() => process.pid))
      }
    },
  )

  it('ends with the server, which is killed and started again, goes on, and nothing that was confirmed is lost', async () => {
    const { client, runs, server } = line
    for (let round = 1; round <= Math.min(5, rounds); round += 1) {
      const sent = await Promise.all(
        Array.from({ length: 20 }, (_, n) => client.wait.delay(runs.path, `kept-${n}`, 20 * n)),
      )
      await server.kill()
      await sleep(200)
      await server.startAgain()

      expect(await line.answers()).toBeLessThan(RESUMES_MS)
      expect(await Promise.all(sent.map((result) => result.get(60)))).toEqual(sent.map(() => process.pid))
    }
  })

  it('may be silent: sending fails within its deadline, a second time too', async () => {
    await using proxy = await HalfOpenProxy.open(line.server.port)
    const { app, note } = faultApp({
      broker: at(proxy.port),
      publishTimeout: 3,
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
    await using child = node(senderProcess, [at(proxy.port)])

    const exit = await child.exited

    expect(exit).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(exit.stdout.trim().split('\n')).toEqual(['LOVAGE_BROKER_CONNECTION', 'LOVAGE_BROKER_CONNECTION'])
  })
})
