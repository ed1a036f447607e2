import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { eventually } from '../conformance/time.js'
import { Worker } from '../../src/worker/index.js'
import type { ConfigInput } from '../../src/config/config.js'
import { canStartRabbitmq, RabbitmqServer } from '../support/rabbitmq-server.js'
import { tempFolder } from '../support/temp.js'
import { FaultBench } from './fixture/fault-bench.js'
import type { FaultStore } from './fixture/fault-store.js'

jest.setTimeout(90_000)

const TIMEOUT_S = 3
const withServer = canStartRabbitmq() ? describe : describe.skip

withServer('a task that lasts longer than the consumer_timeout of RabbitMQ', () => {
  let server: RabbitmqServer

  beforeAll(async () => {
    server = await RabbitmqServer.start(`consumer_timeout = ${String(TIMEOUT_S * 1000)}`)
    await server.ctl('eval', 'application:set_env(rabbit, channel_tick_interval, 500).')
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  async function openBench(consumerTimeout = TIMEOUT_S): Promise<FaultBench> {
    const settings: ConfigInput = {
      broker: server.url,
      backend: 'rpc://',
      taskDefaultQueue: `long-${randomBytes(4).toString('hex')}`,
      brokerTransportOptions: { consumer_timeout: consumerTimeout },
    }
    const store: FaultStore = {
      name: 'RabbitMQ',
      firstPriority: 'largest',
      hasLeases: false,
      settles: false,
      settings: () => settings,
    }
    return FaultBench.openIn(await tempFolder('long'), {}, false, store)
  }

  async function heldQueues(): Promise<number> {
    const list = await server.ctl('-q', '--no-table-headers', 'list_queues', 'name')
    return list.split('\n').filter((name) => name.startsWith('lovage.held.')).length
  }

  it('runs once, beside short ones, and leaves nothing behind', async () => {
    await using bench = await openBench()
    const { app, wait, note } = bench.tasks
    await using worker = new Worker(app, { concurrency: 2 })
    await worker.start()

    const long = await wait.delay(bench.log, 'long', 3.5 * TIMEOUT_S * 1000)
    for (let index = 0; index < 20; index += 1) {
      await (await note.delay(bench.log, `short-${String(index)}`)).get(20)
      await sleep(100)
    }

    expect(await long.get(30)).toBe(process.pid)
    expect(bench.runs()).toHaveLength(21)
    expect(bench.runs().every((run) => run.delivery === 1)).toBe(true)
    await sleep(500)
    expect(await heldQueues()).toBe(0)
  })

  it('goes to another worker when its own is killed, counted as a delivery', async () => {
    await using bench = await openBench()
    const first = await bench.worker({ concurrency: 1 })
    // It must not end while the list of queues is asked for, which takes seconds each time on a busy machine.
    const result = await bench.tasks.wait.delay(bench.log, 'long', 7 * TIMEOUT_S * 1000)
    await eventually(async () => (await heldQueues()) > 0, 15_000)
    first.kill('SIGKILL')
    const second = await bench.worker({ concurrency: 1 })

    expect(await result.get(60)).toBe(second.pid)
    expect(bench.runs('long').map((run) => run.delivery)).toEqual([1, 2])
  })

  it('loses its channel where the driver was told another time, and the worker goes on', async () => {
    await using bench = await openBench(1800)
    const worker = await bench.worker({ concurrency: 1 })
    const result = await bench.tasks.wait.delay(bench.log, 'long', 2 * TIMEOUT_S * 1000)

    await worker.waitForLine(/Connection to broker lost.*(timed out|timeout)/)

    expect(bench.runs('long').length).toBeGreaterThanOrEqual(1)
    expect(result.id).toBeDefined()
    const short = await bench.tasks.note.delay(bench.log, 'short')
    expect(await short.get(20)).toBe(worker.pid)
  })
})
