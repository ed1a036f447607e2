import { describe, expect, it, jest } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { listDeadLetters } from '../../../src/control/dead-letters.js'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import { Lovage } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { CLAIMS_OF } from '../../../brokers/redis/lua/lease.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { consume, openStage, server } from './stage.js'

jest.setTimeout(60_000)

const never = new AbortController().signal
const withServer = server === '' ? describe.skip : describe

/** As a foreign client pushes it: headers that hold a list in a list, so many times. */
function deep(levels: number): string {
  const list = '['.repeat(levels) + ']'.repeat(levels)
  const delivery = '{"exchange": "", "routing_key": "celery"}'
  return (
    `{"body": "aGk=", "content-encoding": "utf-8", "content-type": "text/plain", "headers": {"deep": ${list}}, ` +
    `"properties": {"body_encoding": "base64", "priority": 0, "delivery_tag": "x", "delivery_info": ${delivery}}}`
  )
}

withServer('a holder whose claims others took', () => {
  it('claims no more, so that nothing new is given back with the old', async () => {
    await using stage = await openStage()
    const { broker } = stage
    const lost = await consume(broker, { leaseMs: 200 })
    await broker.publish([outgoing('celery', 'a'), outgoing('celery', 'b')])
    await take(lost, 2)
    const owner = await consume(broker)
    await take(owner, 2)
    await broker.publish([outgoing('celery', 'c')])

    const fetching = lost.fetch(1, { waitMs: 0, signal: never })

    await expect(fetching).rejects.toThrow(BrokerConnectionError)
    await expect(fetching).rejects.toThrow('every claim was lost to its lease')
    expect(textsOf(await take(owner, 1))).toEqual(['c'])
  })

  it('is dead from the first step of that on', async () => {
    await using stage = await openStage()
    const { broker, keys, prefix } = stage
    const lost = await consume(broker, { leaseMs: 200 })
    const { holder = '' } = lost
    await broker.publish([outgoing('celery', 'a')])
    await take(lost, 1)
    await broker.publish([outgoing('celery', 'b')])
    const names = ['unacked', 'unacked_index', `_lovage.claims.${holder}`, '_lovage.holders', '_lovage.moves']
    const script = [CLAIMS_OF, 6, ...names, `_lovage.moved.${holder}`, holder, '1'] as const

    // Another worker has begun, and stands still.
    await eventually(async () => ((await keys.eval(...script)) as unknown[]).length > 0)

    expect(prefix).not.toBe('')
    expect(await broker.leases?.renew(holder, [], 30_000)).toMatchObject({ held: false })
    expect(await broker.leases?.reconcile?.(holder, [], 30_000)).toMatchObject({ held: false })
    await expect(lost.fetch(1, { waitMs: 0, signal: never })).rejects.toThrow(BrokerConnectionError)
    const texts = textsOf(await take(await consume(broker), 2))
    expect(texts.toSorted()).toEqual(['a', 'b'])
  })
})

withServer('a message that nests too deep', () => {
  it('is put back like its neighbours when its worker is lost', async () => {
    await using stage = await openStage()
    const { broker, keys } = stage
    const lost = await consume(broker, { leaseMs: 200 })
    await keys.lpush('celery', deep(20_000))
    await broker.publish([outgoing('celery', 'a')])
    await take(lost, 2)

    const again = await take(await consume(broker), 2)

    expect(textsOf(again).toSorted()).toEqual(['a', deep(20_000)].toSorted())
  })

  it.each([
    ['JSON', deep(20_000)],
    ['no JSON', '{'.repeat(50_000)],
  ])('becomes a dead letter, and the worker goes on: %s', async (_form, text) => {
    await using stage = await openStage()
    const { broker, keys, prefix } = stage
    const app = new Lovage('deep', {
      broker: server,
      backend: server,
      brokerTransportOptions: { global_keyprefix: prefix },
      resultBackendTransportOptions: { global_keyprefix: prefix },
    })
    await using _app = app
    const add = app.task('deep.add', (x: number, y: number) => x + y)
    await keys.lpush('celery', text)
    await using worker = new Worker(app)
    await worker.start()

    expect(await (await add.delay(1, 2)).get(10)).toBe(3)
    await eventually(async () => (await broker.depth('celery.dead')) === 1)

    const [letter] = await listDeadLetters(broker, 'celery')
    expect(letter?.reason).toBe('unreadable')
    expect(await keys.llen('celery')).toBe(0)
    expect(await keys.hlen('unacked')).toBe(0)
  })

  it('waits like others when it was held, and lets them pass', async () => {
    await using stage = await openStage()
    const { broker, keys } = stage
    const consumer = await consume(broker)
    const member = `0:1:${deep(20_000)}`
    await keys.zadd('_lovage.delayed.celery', 1, member, 1, 'of no form')
    await keys.zadd('_lovage.due', 1, 'celery')
    await broker.publish([{ ...outgoing('celery', 'a'), delayMs: 20 }])

    const texts = textsOf(await take(consumer, 3))

    expect(texts.toSorted()).toEqual(['a', deep(20_000), 'of no form'].toSorted())
  })
})
