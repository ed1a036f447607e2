import { fileURLToPath } from 'node:url'
import { describe, expect, it, jest } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { createBroker, migrate, planMigrations } from '../../../brokers/sql/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { BackendError, ConfigError } from '../../../src/errors/errors.js'
import { jsonCodec } from '../../conformance/index.js'
import { node } from '../../support/child.js'
import type { Child } from '../../support/child.js'
import { sqlPlace } from '../../support/sql-place.js'
import type { SqlPlace } from '../../support/sql-place.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

jest.setTimeout(60_000)

function child(script: string, args: readonly string[]): Child {
  return node(fileURLToPath(new URL(`child/${script}.js`, import.meta.url)), args)
}

for (const server of ['postgresql', 'mariadb'] as const) {
  const describeHere = serviceUrl(server) === undefined ? describe.skip : describe

  describeHere(`one ${server} and several processes`, () => {
    async function place(): Promise<SqlPlace> {
      const made = await sqlPlace(server)
      if (made === undefined) throw new TypeError(`${server} is not there any more`)
      return made
    }

    it('gives each message to exactly one of them', async () => {
      await using tables = await place()
      const { url } = tables
      const queue = randomName('queue')
      const broker = await openBroker(url, queue)
      const ids = Array.from({ length: 2000 }, (_, index) => String(index))
      await using first = child('drain', [url, queue])
      await using second = child('drain', [url, queue])
      await Promise.all([first.waitForLine('ready'), second.waitForLine('ready')])

      for (let from = 0; from < ids.length; from += 50) {
        await broker.publish(ids.slice(from, from + 50).map((id) => textMessage(queue, id)))
      }

      const exits = await Promise.all([first.exited, second.exited])
      const done = exits.map(({ stdout }) => [...stdout.matchAll(/^id=(\d+)$/gm)].map(([, id]) => id))
      expect(done.flat().sort()).toEqual([...ids].sort())
      expect(done.every((list) => list.length > 0)).toBe(true)
      expect(await broker.depth(queue)).toBe(0)
      await broker.close()
    })

    it('wakes a waiting consumer soon after a send from another process', async () => {
      await using tables = await place()
      const [queue, count] = [randomName('queue'), 40]
      // Far longer than the test: whoever is told does not wait for it.
      const url = new URL(tables.url)
      if (server === 'postgresql') url.searchParams.set('pollInterval', '30')
      const broker = await openBroker(url.href, queue)
      const consumer = await broker.consume([queue], { credit: 100, leaseMs: 30_000 })
      await using publisher = child('publish', [tables.url, queue, String(count)])
      const delaysMs: number[] = []

      while (delaysMs.length < count) {
        const deliveries = await consumer.fetch(100, { waitMs: 20_000, signal: never })
        const nowMs = performance.timeOrigin + performance.now()
        expect(deliveries.length).toBeGreaterThan(0)
        delaysMs.push(...deliveries.map(({ message }) => nowMs - Number(message.headers['sentAtMs'])))
        await consumer.ack(deliveries)
      }

      await publisher.exited
      await broker.close()
      const median = delaysMs.sort((one, other) => one - other)[count / 2]
      expect(median).toBeLessThan(500)
    })

    it('tells which of two claims of one message was lost, in one batch', async () => {
      await using tables = await place()
      const queue = randomName('queue')
      const broker = await openBroker(tables.url, queue)
      const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
      await broker.publish([textMessage(queue, 'a')])
      const [first] = await consumer.fetch(1, { waitMs: 20_000, signal: never })
      if (first === undefined) throw new TypeError('nothing came')
      await consumer.handBack([{ delivery: first, delayMs: 0, unspent: true }])
      const again = await consumer.fetch(1, { waitMs: 20_000, signal: never })

      expect(again).toHaveLength(1)
      expect(await consumer.ack([first, ...again])).toEqual([first])
      expect(await broker.depth(queue)).toBe(0)
      await broker.close()
    })

    it('is migrated once by processes that start together', async () => {
      await using tables = await place()
      await using first = child('migrate', [tables.url])
      await using second = child('migrate', [tables.url])
      await using third = child('migrate', [tables.url])

      const exits = await Promise.all([first.exited, second.exited, third.exited])

      expect(exits.map(({ code }) => code)).toEqual([0, 0, 0])
      const applied = exits.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== ''))
      expect(applied.sort()).toEqual([
        '001-queue',
        '002-broadcast',
        '003-beat',
        'create celery_taskmeta',
        'create celery_tasksetmeta',
      ])
      expect(await planMigrations(tables.url)).toEqual([])
    })

    it('is not migrated when that is switched off: the error names the command', async () => {
      await using tables = await place()
      const broker = createBroker(parseConnectionUrl(tables.url), { autoMigrate: false })

      const connecting = broker.connect(never)

      await expect(connecting).rejects.toBeInstanceOf(ConfigError)
      await expect(connecting).rejects.toThrow(/lovage migrate/)
      await broker.close()
    })

    it('keeps two applications apart by the prefix of their tables', async () => {
      await using tables = await place()
      const queue = randomName('queue')
      const url = new URL(tables.url)
      url.searchParams.set('tablePrefix', 'other_')
      const one = await openBroker(tables.url, queue)
      const other = await openBroker(url.href, queue)

      await one.publish([textMessage(queue, 'a')])

      expect([await one.depth(queue), await other.depth(queue)]).toEqual([1, 0])
      await one.close()
      await other.close()
    })

    it("takes over a result table of Celery's, adding columns and leaving rows alone", async () => {
      await using tables = await place()
      const { knex } = tables
      await knex.schema.createTable('celery_taskmeta', (table) => {
        table.integer('id').notNullable().primary()
        table.string('task_id', 155).unique()
        table.string('status', 50)
        table.binary('result')
        table.datetime('date_done', { useTz: false })
        table.text('traceback')
      })
      await knex.raw('CREATE SEQUENCE task_id_sequence START WITH 10')
      await knex('celery_taskmeta').insert([
        { id: 1, task_id: 'json', status: 'SUCCESS', result: Buffer.from('15') },
        { id: 2, task_id: 'pickled', status: 'SUCCESS', result: Buffer.from([0x80, 5, 75, 15, 46]) },
      ])

      await migrate(tables.url)
      const backend = createBackend(parseConnectionUrl(tables.url), { codec: jsonCodec })
      await backend.connect(never)
      await backend.store([{ taskId: 'new', state: 'SUCCESS', result: 1, children: [] }], { ttlMs: 0 })

      const records = await backend.load(['json', 'pickled', 'new'])
      expect([records.get('json')?.result, records.get('new')?.result]).toEqual([15, 1])
      expect(() => records.get('pickled')?.result).toThrow(BackendError)
      expect(() => records.get('pickled')?.result).toThrow(/5\.7/)
      expect(await knex('celery_taskmeta').where({ task_id: 'new' }).select('id')).toEqual([{ id: 10 }])
      await backend.close()
    })
  })
}

describe('a server that is not there', () => {
  it.each(['postgresql://127.0.0.1:1/none', 'mysql://127.0.0.1:1/none'])(
    'is a retryable error: %s',
    async (url) => {
      const broker = createBroker(parseConnectionUrl(url), {})

      const connecting = broker.connect(never)

      await expect(connecting).rejects.toMatchObject({ code: 'LOVAGE_BROKER_CONNECTION', retryable: true })
      await broker.close()
    },
  )
})
