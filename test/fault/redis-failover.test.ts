import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { Worker } from '../../src/worker/index.js'
import { canStartRedis, RedisServer } from '../support/redis-server.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { standInForEachOther } from './fixture/stand-ins.js'
import { faultApp, type FaultTasks } from './fixture/tasks.js'
import { untilSent } from './fixture/until-sent.js'

const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const RESUMES_MS = 10_000
/** Sentinel waits a second before it believes that the master is gone. */
const DOWN_AFTER_MS = 1_000
const rounds = isFull ? 5 : 1

jest.setTimeout(rounds * 120_000)

const withServers = canStartRedis() ? describe : describe.skip

withServers('a worker and its client behind Sentinel', () => {
  const servers: RedisServer[] = []
  let sentinel: RedisServer
  let folder: TempFolder
  let tasks: FaultTasks
  let worker: Worker

  beforeAll(async () => {
    folder = await tempFolder('failover')
    const master = await started()
    await started('--replicaof', '127.0.0.1', String(master.port))
    sentinel = await RedisServer.startSentinel('mymaster', master.port)
    servers.push(sentinel)
    await replicaKnown()
    const url = `sentinel://127.0.0.1:${String(sentinel.port)}/0`
    const options = { master_name: 'mymaster', socket_timeout: 1 }
    tasks = faultApp({
      broker: url,
      backend: url,
      brokerTransportOptions: options,
      resultBackendTransportOptions: options,
      lease: 4,
    })
    worker = new Worker(tasks.app, { concurrency: 5 })
    await worker.start()
  })

  afterAll(async () => {
    await worker?.stop({ hard: true })
    await tasks?.app.close()
    for (const server of servers) await server[Symbol.asyncDispose]()
    await folder?.remove()
  })

  async function started(...options: readonly string[]): Promise<RedisServer> {
    const server = await RedisServer.start('--repl-diskless-sync-delay', '0', ...options)
    servers.push(server)
    return server
  }

  it('go on within ten seconds of the death of the master, while results are waited for, and lose nothing', async () => {
    const runs = new NotedRuns(folder.file('runs.log'))
    for (let round = 0; round < rounds; round += 1) {
      const master = await masterOf(sentinel)
      const sent = await Promise.all(
        Array.from({ length: 40 }, (_, n) => tasks.wait.delay(runs.path, `task-${n}`, 20 * n)),
      )
      const waiting = Promise.all(sent.map((result) => result.get(60)))
      // Redis replicates later than it answers: what is promised is promised of what a replica has.
      await replicated(master)
      await servers.find(({ port }) => port === master)?.kill()
      const beganMs = performance.now()

      const probe = await untilSent(() => tasks.note.delay(runs.path, 'probe'))
      expect(await probe.get(60)).toBe(process.pid)
      expect(performance.now() - beganMs).toBeLessThan(RESUMES_MS + DOWN_AFTER_MS)
      expect(await waiting).toEqual(sent.map(() => process.pid))
      if (round + 1 < rounds) {
        await started('--replicaof', '127.0.0.1', String(await masterOf(sentinel)))
        await replicaKnown()
      }
    }
  })

  async function masterOf(watcher: RedisServer): Promise<number> {
    const ask = new Redis(watcher.url)
    const address = await ask.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')
    ask.disconnect()
    return Array.isArray(address) ? Number(address[1]) : Number.NaN
  }

  /** Until Sentinel knows a replica that is in step with the master. */
  async function replicaKnown(): Promise<void> {
    const ask = new Redis(sentinel.url)
    const endMs = performance.now() + 60_000
    for (;;) {
      const known = JSON.stringify(await ask.call('SENTINEL', 'REPLICAS', 'mymaster'))
      if (known.includes('"flags","slave","') && known.includes('"master-link-status","ok"')) break
      if (performance.now() > endMs) throw new RangeError('Sentinel knows no replica')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    ask.disconnect()
  }

  async function replicated(port: number): Promise<void> {
    const redis = new Redis(port)
    expect(await redis.wait(1, 10_000)).toBeGreaterThanOrEqual(1)
    redis.disconnect()
  }
})

withServers('two Redis servers in one list', () => {
  it('stand in for each other, and what one had is run when it is back', async () => {
    const keeps = ['--appendonly', 'yes', '--appendfsync', 'always']
    await using first = await RedisServer.start(...keeps)
    await using second = await RedisServer.start(...keeps)

    await standInForEachOther(first, second)
  })
})
