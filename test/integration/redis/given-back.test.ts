import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { consume, openStage, server } from './stage.js'

const withServer = server === '' ? describe.skip : describe

withServer('what a worker on Redis had', () => {
  it('goes to the front of its queue when its lease has run out', async () => {
    await using stage = await openStage()
    const dead = await consume(stage.broker, { leaseMs: 300 })
    await stage.broker.publish([outgoing('celery', 'first')])
    expect(textsOf(await take(dead, 1))).toEqual(['first'])
    await stage.broker.publish([outgoing('celery', 'second')])

    // Another queue's worker gives it back, and takes nothing of this one.
    await stage.broker.declare({ name: 'other', lifetime: 'durable', bindings: [] })
    const elsewhere = await stage.broker.consume(['other'], { credit: 1, leaseMs: 30_000 })
    const stop = new AbortController()
    const fetching = elsewhere.fetch(1, { waitMs: 20_000, signal: stop.signal })
    await eventually(async () => (await stage.keys.llen('celery')) === 2)
    stop.abort()
    await fetching

    const next = await consume(stage.broker)
    expect(textsOf(await take(next, 2))).toEqual(['first', 'second'])
  }, 60_000)
})
