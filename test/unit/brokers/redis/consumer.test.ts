import { afterEach, describe, expect, it } from '@jest/globals'
import { writeEnvelope } from '../../../../brokers/redis/envelope.js'
import { createBroker } from '../../../../brokers/redis/index.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import type { Broker, Consumer, Delivery } from '../../../../src/broker/contract.js'
import { textsOf, toMessage } from '../../../conformance/broker/stage.js'
import { eventually, never } from '../../../conformance/time.js'
import { gate, turns } from '../../worker/harness.js'
import { ScriptedServer } from './scripted-server.js'

const HOUR_MS = 3_600_000
const LOST = { code: 'LOVAGE_BROKER_CONNECTION' }
const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

interface Bench {
  readonly server: ScriptedServer
  readonly broker: Broker
  readonly consumer: Consumer
  readonly fetch: (max: number, waitMs?: number, signal?: AbortSignal) => Promise<readonly Delivery[]>
}

/** A consumer of the queue `jobs` on a scripted server, in which these messages are ready. */
async function open(...ready: readonly string[]): Promise<Bench> {
  const server = new ScriptedServer()
  server.ready.push(...ready.map(envelopeOf))
  const broker = createBroker(parseConnectionUrl(await server.listen()), { autoMigrate: true })
  ends.push(async () => {
    await server.close()
    await broker.close()
  })
  await broker.connect(never)
  const consumer = await broker.consume(['jobs'], { credit: 10, leaseMs: 30_000 })
  const fetch: Bench['fetch'] = (max, waitMs = HOUR_MS, signal = never) => {
    const fetching = consumer.fetch(max, { waitMs, signal })
    fetching.catch(() => undefined)
    return fetching
  }
  return { server, broker, consumer, fetch }
}

function envelopeOf(text: string): string {
  return writeEnvelope(toMessage(text), { exchange: '', routingKey: 'jobs' })
}

describe('a fetch from Redis', () => {
  it('claims as many as it asks for in one script', async () => {
    const { server, fetch } = await open('a', 'b', 'c')

    const deliveries = await fetch(2)

    expect(textsOf(deliveries)).toEqual(['a', 'b'])
    expect(deliveries[0]).toMatchObject({ queue: 'jobs', deliveryCount: 1, redelivered: false, due: false })
    expect(server.calls).toEqual(['claim 2'])
  })

  it('that may not wait looks once and comes back empty from an empty queue', async () => {
    const { server, fetch } = await open()

    expect(await fetch(2, 0)).toEqual([])
    expect(server.calls).toEqual(['claim 2'])
  })

  it('that waits asks to hear of changes, and claims what one tells of', async () => {
    const { server, fetch } = await open()
    const fetching = fetch(1)
    await eventually(() => server.calls.length === 2)

    server.send(envelopeOf('a'))

    expect(textsOf(await fetching)).toEqual(['a'])
    // A look without a change pings before it.
    expect(server.calls).toEqual(['claim 1', 'claim 1', 'claim 1'])
  })

  it('comes back empty when it is aborted, and what comes later is for the next', async () => {
    const { server, fetch } = await open()
    const stop = new AbortController()
    const fetching = fetch(1, HOUR_MS, stop.signal)
    await eventually(() => server.calls.length === 2)

    stop.abort()
    expect(await fetching).toEqual([])
    server.send(envelopeOf('late'))

    expect(textsOf(await fetch(1))).toEqual(['late'])
  })
})

describe('a lost connection to Redis', () => {
  it('ends a fetch whose claim is under way, and the next claims over a new one', async () => {
    const { server, fetch } = await open('a', 'b')
    server.answers = (call) => {
      if (call === 'claim 1') server.cut()
    }

    await expect(fetch(1)).rejects.toMatchObject(LOST)
    server.answers = () => undefined

    const next = await eventually(() => fetch(2).catch(() => undefined))
    expect(textsOf(next)).toEqual(['b'])
  })

  it('ends a settlement that is under way; the claims are given back at the close', async () => {
    const { server, consumer, fetch } = await open('a', 'b')
    const deliveries = await fetch(2)
    const tags = [...server.unacked]
    server.answers = (call) => {
      if (!call.startsWith('settle')) return
      // The server had not run it.
      for (const [tag, envelope] of tags) server.unacked.set(tag, envelope)
      server.cut()
    }

    await expect(consumer.ack(deliveries)).rejects.toMatchObject(LOST)
    server.answers = () => undefined
    await eventually(() => fetch(1, 0).catch(() => undefined))
    await consumer.close()

    expect(server.calls.slice(-1)).toEqual(['restore 2 1'])
    expect(server.unacked.size).toBe(0)
  })
})

describe('settling on Redis', () => {
  it('settles a batch in one script, and names the claims that others have by now', async () => {
    const { server, consumer, fetch } = await open('a', 'b', 'c')
    const deliveries = await fetch(3)
    const [, b] = deliveries
    server.unacked.delete(b?.tag ?? '')

    expect(await consumer.ack(deliveries)).toEqual([b])

    expect(server.calls).toEqual(['claim 3', 'settle 1 2 3'])
    expect(server.unacked.size).toBe(0)
  })

  it('hands back in the reverse order, so that the first is in front again', async () => {
    const { server, consumer, fetch } = await open('a', 'b')
    const deliveries = await fetch(2)

    await consumer.handBack(deliveries.map((delivery) => ({ delivery, delayMs: 0, unspent: true })))

    expect(server.calls).toEqual(['claim 2', 'settle 2 1'])
  })
})

describe('the close of a consumer on Redis', () => {
  it('gives back what is not settled', async () => {
    const { server, consumer, fetch } = await open('a', 'b')
    const [a] = await fetch(2)
    await consumer.ack(a === undefined ? [] : [a])

    await consumer.close()

    expect(server.calls).toEqual(['claim 2', 'settle 1', 'restore 2'])
  })

  it('gives back what a claim brings whose answer comes after it', async () => {
    const { server, consumer, fetch } = await open('a')
    const answering = gate()
    server.answers = (call) => (call === 'claim 1' ? answering.passed : undefined)
    const fetching = fetch(1)
    await eventually(() => server.calls.length === 1)

    const closing = consumer.close()
    await turns()
    expect(server.calls).toEqual(['claim 1'])
    answering.open()
    await closing

    expect(await fetching).toEqual([])
    expect(server.calls).toEqual(['claim 1', 'restore 1'])
    expect(server.unacked.size).toBe(0)
  })

  it('ends a fetch that waits with nothing', async () => {
    const { server, consumer, fetch } = await open()
    const fetching = fetch(1)
    await eventually(() => server.calls.length === 2)

    await consumer.close()

    expect(await fetching).toEqual([])
  })
})
