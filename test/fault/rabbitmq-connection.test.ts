import { expect, it } from '@jest/globals'
import { connect } from 'amqplib'
import { eventually } from '../conformance/time.js'
import { PublishError } from '../../src/errors/errors.js'
import { canStartRabbitmq, RabbitmqServer } from '../support/rabbitmq-server.js'
import {
  describeConnection,
  hearsAtOnce,
  inRounds,
  isFull,
  networkFaults,
} from './fixture/connection-faults.js'
import type { Fault } from './fixture/connection-faults.js'
import type { Line } from './fixture/line.js'
import { faultApp } from './fixture/tasks.js'

const rounds = isFull ? 100 : 1
/** Of faults that take long. */
const longRounds = isFull ? 5 : 1
/** Publishing, consuming, and each process's results: what it listens on is a broker of its own. */
const MOST_CONNECTIONS = 8

const urlAt = (port: number): string => `amqp://127.0.0.1:${String(port)}//`

const struck: Readonly<Record<string, Fault<RabbitmqServer>>> = {
  // The server, too, finds a dead connection by its silence, which takes it a minute: it is told.
  ...networkFaults(8_000, 12_000),
  'is closed by the administrator': async ({ server }) => {
    await server.ctl('close_all_connections', 'maintenance')
  },
  'ends with the server, which is killed and started again': async ({ server }) => {
    await server.kill()
    await server.start()
  },
}

describeConnection({
  store: 'RabbitMQ',
  isThere: canStartRabbitmq(),
  startServer: () => RabbitmqServer.start(),
  settings: (port) => ({ broker: urlAt(port), backend: 'rpc://' }),
  faults: inRounds(struck, (what) => (/^(stalls|ends|goes)/.test(what) ? longRounds : rounds)),
  bringsResults: false,
  connections: {
    count: async ({ server }) => {
      const list = await server.ctl('-q', '--no-table-headers', 'list_connections', 'pid')
      return list.split('\n').filter((one) => one.startsWith('<')).length
    },
    most: () => MOST_CONNECTIONS,
  },
  after: async (line) => {
    const list = await line.server.ctl('-q', '--no-table-headers', 'list_consumers', 'queue_name')
    expect(list.split('\n').filter((one) => one.trim() === 'celery')).toHaveLength(1)
    await hearsAtOnce(line)
  },
  url: urlAt,
  hastyUrl: (port) => `${urlAt(port)}?connect_timeout=1`,
  publishTimeout: 1,
  more: ownTests,
})

function ownTests(line: () => Line<RabbitmqServer>): void {
  it('meets a memory alarm: sending fails within its deadline, what waits is worked off, and all goes on', async () => {
    const { server, runs, client } = line()
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
        expect(performance.now() - beganMs).toBeLessThan(10_000)
      }
      await eventually(() => left() <= 0, 20_000)
      expect(left()).toBe(0)
    } finally {
      await server.ctl('set_vm_memory_high_watermark', '0.4')
    }
    await app.close()

    expect(await line().answers()).toBeLessThan(10_000)
    expect(await (await client.note.delay(runs.path, 'after')).get(20)).toBe(process.pid)
  })

  it('finds the exchanges of delayed messages deleted: one send fails at most, and they are there again', async () => {
    const { server, runs, client } = line()
    const late = { countdown: { milliseconds: 10 } }
    expect(await (await client.note.applyAsync([runs.path, 'late'], late)).get(20)).toBe(process.pid)
    const raw = await connect(server.url)
    await (await raw.createChannel()).deleteExchange('celery_delayed_27')
    await raw.close()

    await client.note.applyAsync([runs.path, 'lost'], late).catch((error: unknown) => {
      expect(error).toBeInstanceOf(PublishError)
    })
    expect(await (await client.note.applyAsync([runs.path, 'later'], late)).get(20)).toBe(process.pid)
  })
}
