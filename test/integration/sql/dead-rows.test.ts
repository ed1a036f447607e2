import { describe, expect, it, jest } from '@jest/globals'
import type { Consumer, Delivery } from '../../../src/broker/contract.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import { randomName } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

jest.setTimeout(60_000)

const describeHere = serviceUrl('postgresql') === undefined ? describe.skip : describe
/** As many as make a look from the start slow on any machine. */
const DEAD = 200_000

async function next(consumer: Consumer): Promise<Delivery | undefined> {
  const [delivery] = await consumer.fetch(1, { waitMs: 20_000, signal: never })
  return delivery
}

function idOf(delivery: Delivery | undefined): unknown {
  return delivery?.message.headers['id']
}

describeHere('a queue on PostgreSQL whose dead rows cannot be cleaned up', () => {
  it('gives out what comes after them, and what becomes ready before them, too', async () => {
    await using place = await sqlPlace('postgresql')
    if (place === undefined) throw new Error('postgresql is not there any more')
    const { knex, url } = place
    const queue = randomName('queue')
    const broker = await openBroker(url, queue)
    await broker.publish([textMessage(queue, 'handed back')])
    const held = await knex.transaction({ isolationLevel: 'repeatable read' })
    await held.raw('SELECT count(*) FROM lovage_message')
    const consumer = await broker.consume([queue], { credit: 10, leaseMs: 60_000 })
    const early = await next(consumer)
    await knex.raw(
      `INSERT INTO lovage_message (queue, rank, meta, body)
       SELECT ?, 0, '{}', '' FROM generate_series(1, ${DEAD})`,
      [queue],
    )
    await knex.raw(`DELETE FROM lovage_message WHERE meta = '{}'`)
    const seen: unknown[] = []
    for (const id of ['one', 'two', 'three']) {
      await broker.publish([textMessage(queue, id)])
      const delivery = await next(consumer)
      seen.push(idOf(delivery))
      if (delivery !== undefined) expect(await consumer.ack([delivery])).toEqual([])
    }
    expect(seen).toEqual(['one', 'two', 'three'])

    if (early === undefined) throw new TypeError('nothing was claimed')
    expect(await consumer.handBack([{ delivery: early, delayMs: 0, unspent: true }])).toEqual([])
    const again = await next(consumer)

    expect(idOf(again)).toBe('handed back')
    await held.rollback()
    await broker.close()
  })
})
