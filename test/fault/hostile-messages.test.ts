import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { eventually } from '../conformance/time.js'
import { listDeadLetters } from '../../src/control/dead-letters.js'
import type { Message } from '../../src/message/message.js'
import { FaultBench } from './fixture/fault-bench.js'
import { killStores } from './fixture/fault-store.js'
import { Worker } from '../../src/worker/index.js'
import { internalsOf } from '../../src/util/internals.js'

jest.setTimeout(120_000)

const runs = process.env['LOVAGE_TEST_FULL'] === 'true' ? 400 : 40

/** Bytes that a body of protocol 2 is made of, bent in the ways that foreign producers bend them. */
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((text) => new TextEncoder().encode(text)),
  fc
    .tuple(fc.jsonValue(), fc.jsonValue(), fc.jsonValue())
    .map((parts) => new TextEncoder().encode(JSON.stringify(parts))),
  fc
    .record({
      callbacks: fc.jsonValue(),
      errbacks: fc.jsonValue(),
      chain: fc.jsonValue(),
      chord: fc.jsonValue(),
    })
    .map((embed) => new TextEncoder().encode(JSON.stringify([[1], {}, embed]))),
)

const headers = fc.oneof(
  fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }),
  fc.record(
    {
      id: fc.oneof(fc.string(), fc.jsonValue()),
      task: fc.oneof(fc.constant('fault.note'), fc.string(), fc.jsonValue()),
      eta: fc.oneof(fc.constant(null), fc.string(), fc.constant('9999-99-99T99:99:99'), fc.integer()),
      expires: fc.oneof(fc.constant(null), fc.string(), fc.integer()),
      retries: fc.jsonValue(),
      timelimit: fc.jsonValue(),
      compression: fc.oneof(fc.constant('application/x-gzip'), fc.string()),
      root_id: fc.jsonValue(),
      group: fc.jsonValue(),
      stamped_headers: fc.jsonValue(),
      ignore_result: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
)

const message: fc.Arbitrary<Message> = fc.record({
  body,
  headers,
  contentType: fc.oneof(
    fc.constant('application/json'),
    fc.constant('application/x-python-serialize'),
    fc.constant('application/x-yaml'),
    fc.string(),
  ),
  contentEncoding: fc.oneof(fc.constant('utf-8'), fc.constant('binary'), fc.string()),
  properties: fc.record({ correlationId: fc.string() }, { requiredKeys: [] }),
})

describe.each(killStores().map((store) => [store.name, store] as const))(
  'messages of a hostile producer on %s',
  (_name, store) => {
    it('are kept aside or answered, and the worker lives', async () => {
      await using bench = await FaultBench.open(
        { maxDeliveries: 2, unknownTaskTimeout: { milliseconds: 1 } },
        false,
        store,
      )
      const { app, note } = bench.tasks
      const broker = await internalsOf(app).broker()
      await broker.declare(internalsOf(app).queueSpec(bench.queue))
      await using worker = new Worker(app)
      await worker.start()

      await fc.assert(
        fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 10 }), async (batch) => {
          await broker.publish(
            batch.map((one) => ({ route: { exchange: '', routingKey: bench.queue }, message: one })),
          )
          const good = await note.delay(bench.log, 'good')

          expect(await good.get(20)).toBe(process.pid)
          expect(worker.status).toMatchObject({ state: 'running', isClaiming: true })
        }),
        { numRuns: runs },
      )
    })

    it('are all kept aside, byte for byte, when nobody may read them', async () => {
      await using bench = await FaultBench.open({}, true, store)
      const { app } = bench.tasks
      const broker = await internalsOf(app).broker()
      await broker.declare(internalsOf(app).queueSpec(bench.queue))
      const bodies = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 300 }), 100)
      await broker.publish(
        bodies.map((bytes, index) => ({
          route: { exchange: '', routingKey: bench.queue },
          message: {
            body: bytes,
            contentType: 'application/x-python-serialize',
            contentEncoding: 'binary',
            headers: { id: `hostile-${index}`, task: 'fault.note' },
            properties: {},
          },
        })),
      )
      await using worker = new Worker(app)
      await worker.start()

      await expect(app.AsyncResult('hostile-99').get(20)).rejects.toThrow(/python-serialize/)
      await eventually(async () => (await broker.depth(`${bench.queue}.dead`)) >= 100, 20_000)
      const letters = await listDeadLetters(broker, bench.queue)

      expect(
        letters.map((letter) => [letter.id, Buffer.from(letter.message.body).toString('hex')]).sort(),
      ).toEqual(bodies.map((bytes, index) => [`hostile-${index}`, Buffer.from(bytes).toString('hex')]).sort())
      expect(letters.every((letter) => letter.reason === 'unreadable')).toBe(true)
    })
  },
)
