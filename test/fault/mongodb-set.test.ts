import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { MongodbServer } from '../support/mongodb-server.js'
import { serviceUrl } from '../support/service-url.js'
import { FaultBench } from './fixture/fault-bench.js'
import { mongodbStore, type FaultStore } from './fixture/fault-store.js'

const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const rounds = isFull ? 20 : 1
const RESUMES_MS = 10_000

jest.setTimeout(isFull ? 3_600_000 : 120_000)

/** Let the server answer some commands as a member does that is no primary any more. */
async function election(url: string, times: number): Promise<void> {
  const client = new MongoClient(url)
  try {
    const failCommands = ['insert', 'update', 'delete', 'find', 'findAndModify', 'aggregate']
    await client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: { times },
      data: { failCommands, errorCode: 10_107, errorLabels: ['RetryableWriteError'] },
    })
  } finally {
    await client.close()
  }
}

/** What happens to the server, until it is over. */
const faults: Readonly<Record<string, (server: MongodbServer) => Promise<void>>> = {
  'is killed and started again': async (server) => {
    await server.kill()
    await sleep(200)
    await server.startAgain()
  },
  'stands still for longer than the worker waits for answers': async (server) => {
    server.signal('SIGSTOP')
    await sleep(5_000)
    server.signal('SIGCONT')
  },
  'is no primary for a while': async ({ url }) => election(url, 6),
}

const withSet = serviceUrl('mongodb-set') === undefined ? describe.skip : describe

withSet('a replica set of MongoDB', () => {
  let server: MongodbServer
  let store: FaultStore

  beforeAll(async () => {
    server = await MongodbServer.start({ isSet: true })
    store = mongodbStore(`${server.url}&socket_timeout=4`)
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  it.each(Object.entries(faults))('that %s loses nothing, and workers go on', async (_what, strike) => {
    await using bench = await FaultBench.open({ lease: 10, publishTimeout: 20 }, false, store)
    const { note, wait } = bench.tasks
    const worker = await bench.worker({ concurrency: 5 })
    for (let round = 1; round <= rounds; round += 1) {
      const sent = await Promise.all(
        Array.from({ length: 20 }, (_, n) => wait.delay(bench.log, `task-${round}-${n}`, 20 * n)),
      )
      await strike(server)
      const beganMs = performance.now()
      const probe = await note.delay(bench.log, `probe-${round}`)

      expect(await probe.get(60)).toBe(worker.pid)
      expect(performance.now() - beganMs).toBeLessThan(RESUMES_MS)
      expect(await Promise.all(sent.map((result) => result.get(60)))).toEqual(sent.map(() => worker.pid))
    }
  })

  it.each([
    ['worker.before-settle', 2],
    ['worker.settled', 1],
  ] as const)('settles a task in one step: a worker that is killed at %s', async (failpoint, most) => {
    for (let round = 1; round <= rounds; round += 1) {
      await using bench = await FaultBench.open({}, false, store)
      const result = await bench.tasks.flaky.delay(bench.log, 'a')

      const victim = await bench.worker({ failpoint: `${failpoint}=kill` }).catch(() => undefined)
      await victim?.exited
      await bench.worker()

      expect(await result.get(20)).toBe(1)
      // The first run sends the retry and ends with that: it is whole, or is run once more.
      expect(bench.runs('a')).toHaveLength(most + 1)
    }
  })
})
