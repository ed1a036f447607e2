import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { LovageError, PublishError } from '../../src/errors/errors.js'
import { Worker } from '../../src/worker/index.js'
import { node } from '../support/child.js'
import { HalfOpenProxy } from '../support/half-open-proxy.js'
import { canStartRabbitmq, RabbitmqServer } from '../support/rabbitmq-server.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp, type FaultTasks } from './fixture/tasks.js'

const senderProcess = fileURLToPath(new URL('./fixture/sender-process.js', import.meta.url))
const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const rounds = isFull ? 100 : 1
/** Of faults that take long. */
const longRounds = isFull ? 5 : 1
const RESUMES_MS = 10_000
/** Publishing, consuming, and each process's results: what it listens on is a broker of its own. */
const MOST_CONNECTIONS = 8

jest.setTimeout(isFull ? 3_600_000 : 120_000)

/** A worker that reaches its server through a proxy, and a client that does not. */
class Line implements AsyncDisposable {
  readonly server: RabbitmqServer
  readonly proxy: HalfOpenProxy
  readonly client: FaultTasks
  readonly far: FaultTasks
  readonly runs: NotedRuns
  readonly #folder: TempFolder
  #worker: Worker | undefined

  private constructor(server: RabbitmqServer, proxy: HalfOpenProxy, folder: TempFolder) {
    this.server = server
    this.proxy = proxy
    this.#folder = folder
    this.runs = new NotedRuns(folder.file('runs.log'))
    this.client = faultApp({ broker: server.url, backend: 'rpc://' })
    this.far = faultApp({ broker: this.farUrl, backend: 'rpc://' })
  }

  static async open(): Promise<Line> {
    const server = await RabbitmqServer.start()
    return new Line(server, await HalfOpenProxy.open(server.port), await tempFolder('line'))
  }

  get farUrl(): string {
    return `amqp://127.0.0.1:${String(this.proxy.port)}//`
  }

  async work(): Promise<void> {
    this.#worker = new Worker(this.far.app, { concurrency: 5 })
    await this.#worker.start()
    await this.answers()
  }

  /** Milliseconds until a new task is run and its result is here. */
  async answers(): Promise<number> {
    const beganMs = performance.now()
    for (;;) {
      try {
        const result = await this.client.note.delay(this.runs.path, 'probe')
        await result.get(60)
        return performance.now() - beganMs
      } catch (error) {
        // The client has lost its own connection: it has to send again.
        if (!(error instanceof PublishError) || performance.now() - beganMs > 60_000) throw error
      }
    }
  }

  async connections(): Promise<number> {
    const list = await this.server.ctl('-q', '--no-table-headers', 'list_connections', 'pid')
    return list.split('\n').filter((line) => line.startsWith('<')).length
  }

  async consumers(): Promise<number> {
    const list = await this.server.ctl('-q', '--no-table-headers', 'list_consumers', 'queue_name')
    return list.split('\n').filter((line) => line.trim() === 'celery').length
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
    // The server, too, finds a dead connection by its silence, which takes it a minute: it is told.
    const bury = proxy.freeze()
    setTimeout(bury, 8_000).unref()
  },
  'stalls for longer than the worker waits': async ({ proxy }) => {
    proxy.fallSilent()
    await sleep(isFull ? 60_000 : 12_000)
    proxy.speak()
  },
  'is closed by the administrator': async ({ server }) => {
    await server.ctl('close_all_connections', 'maintenance')
  },
  'ends with the server, which is killed and started again': async ({ server }) => {
    await server.kill()
    await server.start()
  },
}

const withServer = canStartRabbitmq() ? describe : describe.skip

withServer('a worker whose connection to RabbitMQ', () => {
  let line: Line
  const warnings: string[] = []
  const warned = (warning: Error): number => warnings.push(warning.message)

  beforeAll(async () => {
    process.on('warning', warned)
    line = await Line.open()
    await line.work()
  })

  afterAll(async () => {
    process.off('warning', warned)
    await line[Symbol.asyncDispose]()
  })

  it.each(Object.entries(faults))('%s goes on within ten seconds and loses nothing', async (what, strike) => {
    const { client, runs } = line
    const times = /^(stalls|ends|goes)/.test(what) ? longRounds : rounds
    for (let round = 1; round <= times; round += 1) {
      const ids = Array.from({ length: 20 }, (_, n) => `${what} ${round} ${n}`.replaceAll(' ', '-'))
      await Promise.all(ids.map((id, n) => client.wait.delay(runs.path, id, 20 * n)))
      await strike(line)

      expect(await line.answers()).toBeLessThan(RESUMES_MS)
      const endMs = performance.now() + 20_000
      const missing = (): string[] => ids.filter((id) => runs.of(id).length === 0)
      while (missing().length > 0 && performance.now() < endMs) await sleep(50)
      expect(missing()).toEqual([])
    }
    const endMs = performance.now() + 15_000
    while ((await line.connections()) > MOST_CONNECTIONS && performance.now() < endMs) await sleep(100)
    expect(await line.connections()).toBeLessThanOrEqual(MOST_CONNECTIONS)
    expect(await line.consumers()).toBe(1)
    expect(warnings).toEqual([])
    const quickMs = Math.min(await line.answers(), await line.answers(), await line.answers())
    expect(quickMs).toBeLessThan(500)
  })

  it('meets a memory alarm: sending fails within its deadline, what waits is worked off, and all goes on', async () => {
    const { server, runs, client } = line
    const { app, note, wait } = faultApp({
      broker: server.url,
      taskPublishRetry: false,
      taskIgnoreResult: true,
    })
    const ids = Array.from({ length: 60 }, (_, n) => `before-${String(n)}`)
    const left = (): number => ids.filter((id) => runs.of(id).length === 0).length
    await Promise.all(ids.map((id) => wait.delay(runs.path, id, 500)))
    await server.ctl('set_vm_memory_high_watermark', '0.00001')
    try {
      for (let time = 0; time < 2; time += 1) {
        const beganMs = performance.now()
        const cause = {
          code: 'LOVAGE_BROKER_CONNECTION',
          message: expect.stringMatching(/takes no messages/),
        }
        await expect(note.delay(runs.path, 'blocked')).rejects.toMatchObject({
          code: 'LOVAGE_PUBLISH',
          cause,
        })
        expect(performance.now() - beganMs).toBeLessThan(6_500)
      }
      const endMs = performance.now() + 20_000
      while (left() > 0 && performance.now() < endMs) await sleep(50)
      expect(left()).toBe(0)
    } finally {
      await server.ctl('set_vm_memory_high_watermark', '0.4')
    }
    await app.close()

    expect(await line.answers()).toBeLessThan(RESUMES_MS)
    expect(await (await client.note.delay(runs.path, 'after')).get(20)).toBe(process.pid)
  })

  it('may be silent: sending fails within its deadline, a second time too', async () => {
    await using proxy = await HalfOpenProxy.open(line.server.port)
    const { app, note } = faultApp({
      broker: `amqp://127.0.0.1:${String(proxy.port)}//`,
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
    await using child = node(senderProcess, [`amqp://127.0.0.1:${String(proxy.port)}//?connect_timeout=1`])

    const exit = await child.exited

    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(exit.stdout.trim().split('\n')).toEqual(['LOVAGE_BROKER_CONNECTION', 'LOVAGE_BROKER_CONNECTION'])
  })
})
