import { randomUUID } from 'node:crypto'
import { describe, expect, it, jest } from '@jest/globals'
import type { Message } from '../../src/message/message.js'
import { FaultBench } from './fixture/fault-bench.js'
import { killStores, type FaultStore } from './fixture/fault-store.js'
import { internalsOf } from '../../src/util/internals.js'

jest.setTimeout(60_000)

const QUARTER_OF_AN_HOUR_MS = 15 * 60_000

/** RabbitMQ has no clock that can be asked. */
const stores = killStores().filter(({ name }) => name !== 'RabbitMQ')

function openBench(store: FaultStore): Promise<FaultBench> {
  return FaultBench.open({ unknownTaskTimeout: { minutes: 10 } }, false, store)
}

/** A message as another client writes it, to the queue of the bench. */
async function send(bench: FaultBench, headers: Message['headers'], args: readonly unknown[]): Promise<void> {
  const broker = await internalsOf(bench.tasks.app).broker()
  const message: Message = {
    body: Buffer.from(JSON.stringify([args, {}, null])),
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    headers: { lang: 'go', ...headers },
    properties: {},
  }
  await broker.publish([{ route: { exchange: '', routingKey: bench.queue }, message }])
}

describe.each(stores.map((store) => [store.name, store] as const))(
  'a worker on %s whose clock is 15 minutes ahead',
  (_name, store) => {
    it('runs a task of ten minutes, and an eta no earlier than it is due', async () => {
      await using bench = await openBench(store)
      const worker = await bench.worker({ aheadMs: QUARTER_OF_AN_HOUR_MS })

      const result = await bench.tasks.note.applyAsync([bench.log, 'short'], { expires: { minutes: 10 } })
      const id = randomUUID()
      const etaMs = Date.now() + 2_500
      await send(bench, { task: 'fault.time', id, eta: new Date(etaMs).toISOString() }, [])

      expect(await result.get(20)).toBe(worker.pid)
      expect(await bench.tasks.app.AsyncResult(id).get(20)).toBeGreaterThanOrEqual(etaMs)
    })

    it('gives back a task that no worker has known for a moment only', async () => {
      await using bench = await openBench(store)
      const worker = await bench.worker({ aheadMs: QUARTER_OF_AN_HOUR_MS })

      const waiting = { 'lovage-unknown-since': Date.now() - 4_000, 'lovage-unknown-times': 2 }
      await send(bench, { task: 'fault.unheard-of', id: randomUUID(), ...waiting }, [])

      const line = await worker.waitForLine(/Received unregistered task|Message set aside/)
      expect(line).toContain('Received unregistered task')
    })
  },
)

describe.each(stores.map((store) => [store.name, store] as const))(
  'a sender on %s whose clock is 15 minutes behind',
  (_name, store) => {
    it('counts the length of an expiry on the clock of the store', async () => {
      await using bench = await openBench(store)
      await bench.worker()
      const { now } = Date
      Date.now = () => now() - QUARTER_OF_AN_HOUR_MS
      try {
        const sent = await bench.tasks.note.applyAsync([bench.log, 'short'], { expires: { minutes: 10 } })

        expect(await sent.get(20)).toBeGreaterThan(0)
      } finally {
        Date.now = now
      }
    })
  },
)
