import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import type { Knex } from 'knex'
import { SqlBroker } from '../../../brokers/sql/broker.js'
import { migrate } from '../../../brokers/sql/index.js'
import { knexSettings } from '../../../brokers/sql/settings/knex-settings.js'
import type { Broker } from '../../../src/broker/contract.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import type { SqlPlace } from '../../support/sql-place.js'
import { randomName } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

jest.setTimeout(60_000)

const describeHere = serviceUrl('postgresql') === undefined ? describe.skip : describe

interface Scans {
  /** Of the whole table. */
  readonly all: number
  readonly deleted: number
  readonly byHolder: number
}

const SCANS = `SELECT seq_scan::int AS "all",
    n_tup_del::int AS "deleted",
    (SELECT idx_scan::int FROM pg_stat_all_indexes i WHERE i.relid = t.relid AND indexrelname = 'lovage_message_holder') AS "byHolder"
  FROM pg_stat_all_tables t WHERE relid = 'lovage_message'::regclass`

/** Numbers that the server writes down a moment after a connection was closed. */
async function scansOf(knex: Knex): Promise<Scans> {
  for (;;) {
    const { rows }: { rows: readonly Scans[] } = await knex.raw(SCANS)
    const [scans] = rows
    if (scans !== undefined && scans.deleted >= 1000) return scans
    await sleep(50)
  }
}

/** Connections that were told the settings once, and those that are told in each transaction. */
const ways: readonly (readonly [string, (place: SqlPlace, queue: string) => Promise<Broker>])[] = [
  ['connections of our own', ({ url }, queue) => openBroker(url, queue)],
  ['connections of a pooler', ({ url }, queue) => openBroker(`${url}&pgbouncer=true`, queue)],
  [
    "the application's own knex",
    async ({ knex }, queue) => {
      await migrate(knex)
      const broker = new SqlBroker(knexSettings(knex), { autoMigrate: false })
      await broker.connect(never)
      await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
      return broker
    },
  ],
]

describeHere('the plans of PostgreSQL', () => {
  it.each(ways)(
    'read a queue by its indexes on %s, though they were made when it was empty',
    async (_way, open) => {
      await using place = await sqlPlace('postgresql')
      if (place === undefined) throw new Error('postgresql is not there any more')
      const queue = randomName('queue')
      const broker = await open(place, queue)
      const consumer = await broker.consume([queue], { credit: 1000, leaseMs: 30_000 })
      // A text that was run five times keeps its plan.
      for (let tries = 0; tries < 8; tries += 1) await consumer.fetch(10, { waitMs: 0, signal: never })

      for (let round = 0; round < 20; round += 1) {
        await broker.publish(Array.from({ length: 50 }, (_, index) => textMessage(queue, `${index}`)))
        const deliveries = await consumer.fetch(50, { waitMs: 5000, signal: never })
        expect(await consumer.ack(deliveries)).toEqual([])
      }
      await broker.close()

      const scans = await scansOf(place.knex)
      // One for each index, when it was made.
      expect(scans.all).toBeLessThanOrEqual(4)
      // What a holder ever claimed stands there until the next vacuum: looked at when it goes, and not for each batch.
      expect(scans.byHolder).toBeLessThan(5)
    },
  )
})
