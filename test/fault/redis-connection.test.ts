import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { LovageError } from '../../src/errors/errors.js'
import { Worker } from '../../src/worker/index.js'
import { node } from '../support/child.js'
import { HalfOpenProxy } from '../support/half-open-proxy.js'
import { canStartRedis, RedisServer } from '../support/redis-server.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp, type FaultTasks } from './fixture/tasks.js'

const senderProcess = fileURLToPath(new URL('./fixture/sender-process.js', import.meta.url))
const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const rounds = isFull ? 100 : 2
/** Of faults that take a minute. */
const longRounds = isFull ? 5 : 1
const RESUMES_MS = 10_000
/** Two of the client, and three of the worker: commands, what it hears, and the keeper's. */
const MOST_CONNECTIONS = 5
/** How long the server may take to answer before the connection is given up. */
const ANSWER = 1

jest.setTimeout(isFull ? 3_600_000 : 120_000)

/** A worker that reaches its server through a proxy, and a client that does not. */
class Line implements AsyncDisposable {
  readonly server: RedisServer
  readonly proxy: HalfOpenProxy
  readonly client: FaultTasks
  readonly far: FaultTasks
  readonly admin: Redis
  readonly runs: NotedRuns
  readonly #folder: TempFolder
  #worker: Worker | undefined

  private constructor(server: RedisServer, proxy: HalfOpenProxy, folder: TempFolder) {
    this.server = server
    this.proxy = proxy
    this.#folder = folder
    this.runs = new NotedRuns(folder.file('runs.log'))
    this.client = faultApp({ broker: server.url, backend: server.url })
    const url = `redis://127.0.0.1:${String(proxy.port)}/0`
    const options = { socket_timeout: ANSWER }
    this.far = faultApp({
      broker: url,
      backend: url,
      brokerTransportOptions: options,
      resultBackendTransportOptions: options,
      lease: 4,
    })
    this.admin = new Redis(server.url, { connectionName: 'admin', maxRetriesPerRequest: null })
    this.admin.on('error', () => undefined)
  }

  static async open(): Promise<Line> {
    const server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
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

  /** Connections that the server has, beside the one that asks. */
  async connections(): Promise<number> {
    const list = String(await this.admin.call('CLIENT', 'LIST'))
    return list.split('\n').filter((line) => line !== '' && !line.includes('name=admin ')).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop({ hard: true })
    await this.far.app.close()
    await this.client.app.close()
    this.admin.disconnect()
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
  'is killed by the administrator': async ({ admin }) => {
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  },
  'ends on a server that pauses': async ({ admin }) => {
    await admin.call('CLIENT', 'PAUSE', '2500', 'ALL')
  },
  'ends with the server, which is killed and started again': async ({ server }) => {
    await server.kill()
    await sleep(200)
    await server.start()
  },
}

const withServer = canStartRedis() ? describe : describe.skip

withServer('a worker whose connection to Redis', () => {
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
    while ((await line.connections()) > MOST_CONNECTIONS && performance.now() < endMs) await sleep(100)
    expect(await line.connections()).toBeLessThanOrEqual(MOST_CONNECTIONS)
    expect(warnings).toEqual([])
    // It hears of new tasks as it did before, and does not just look for them now and then.
    const quickMs = Math.min(await line.answers(), await line.answers(), await line.answers())
    expect(quickMs).toBeLessThan(500)
  })

  it('may be silent: sending fails within its deadline, a second time too', async () => {
    await using proxy = await HalfOpenProxy.open(line.server.port)
    const { app, note } = faultApp({
      broker: `redis://127.0.0.1:${String(proxy.port)}/0`,
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
    await using child = node(senderProcess, [`redis://127.0.0.1:${String(proxy.port)}/0?socket_timeout=1`])

    const exit = await child.exited

    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(exit.stdout.trim().split('\n')).toEqual(['LOVAGE_BROKER_CONNECTION', 'LOVAGE_BROKER_CONNECTION'])
  })
})
