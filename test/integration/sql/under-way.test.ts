import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import type { Knex } from 'knex'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import { randomName } from '../../support/temp.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { never, openBroker, textMessage } from './queue.js'

jest.setTimeout(60_000)

const describeHere = serviceUrl('postgresql') === undefined ? describe.skip : describe

// As a claim does it, its commit to come.
const CLAIM = `WITH me AS MATERIALIZED (SELECT id FROM lovage_holder FOR KEY SHARE)
  UPDATE lovage_message SET holder = me.id, claim = 1, deliveries = 1 FROM me RETURNING pg_backend_pid() AS pid`

/** Resolves when somebody waits for the session `pid`. */
async function blocked(knex: Knex, pid: number): Promise<void> {
  for (;;) {
    const text = 'SELECT 1 FROM pg_stat_activity WHERE ? = ANY (pg_blocking_pids(pid))'
    const { rows }: { rows: readonly unknown[] } = await knex.raw(text, [pid])
    if (rows.length > 0) return
    await sleep(20)
  }
}

describeHere('a consumer on PostgreSQL', () => {
  it('gives back what a claim took that ended only after it began to close', async () => {
    await using place = await sqlPlace('postgresql')
    if (place === undefined) throw new Error('postgresql is not there any more')
    const { knex, url } = place
    const queue = randomName('queue')
    const broker = await openBroker(url, queue)
    const consumer = await broker.consume([queue], { credit: 10, leaseMs: 30_000 })
    await broker.publish([textMessage(queue, 'a')])

    const claim = await knex.transaction()
    const { rows }: { rows: readonly { readonly pid: number }[] } = await claim.raw(CLAIM)
    const closing = consumer.close()
    await blocked(knex, Number(rows[0]?.pid))
    await claim.commit()
    await closing

    expect(await broker.depth(queue)).toBe(1)
    await broker.close()
  })
})

describeHere('an entry of beat on PostgreSQL', () => {
  it('leaves no occurrence behind that was claimed while it was removed', async () => {
    await using place = await sqlPlace('postgresql')
    if (place === undefined) throw new Error('postgresql is not there any more')
    const { knex, url } = place
    const broker = createBroker(parseConnectionUrl(url), {})
    await broker.connect(never)
    await broker.schedules?.saveEntry('nightly', {})

    const claim = await knex.transaction()
    const lock = "SELECT pg_backend_pid() AS pid FROM lovage_beat_entry WHERE name = 'nightly' FOR UPDATE"
    const { rows }: { rows: readonly { readonly pid: number }[] } = await claim.raw(lock)
    await claim('lovage_beat_occurrence').insert({ id: 'nightly:1', entry: 'nightly', scheduled_ms: 1 })
    const removing = broker.schedules?.removeEntry('nightly')
    await blocked(knex, Number(rows[0]?.pid))
    await claim.commit()
    await removing

    expect(await knex('lovage_beat_occurrence').select('id')).toEqual([])
    await broker.close()
  })
})
