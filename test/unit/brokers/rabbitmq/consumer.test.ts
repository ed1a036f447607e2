import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { RabbitConsumer } from '../../../../brokers/rabbitmq/consumer.js'
import { Returner } from '../../../../brokers/rabbitmq/returner.js'
import type { Sending } from '../../../../brokers/rabbitmq/sender.js'
import type { Consumer, Delivery } from '../../../../src/broker/contract.js'
import { BrokerConnectionError, PublishError } from '../../../../src/errors/errors.js'
import { textOf, textsOf } from '../../../conformance/broker/stage.js'
import { never } from '../../../conformance/time.js'
import { gate } from '../../worker/harness.js'
import { ScriptedChannel } from './scripted-channel.js'

const HOUR_MS = 3_600_000

/** A consumer of the queue `jobs` on a scripted channel. */
class Bench {
  readonly channel = new ScriptedChannel()
  readonly link = {
    label: 'rabbitmq',
    isOpen: true,
    failure: new BrokerConnectionError('the connection is lost'),
  }
  /** What was published again, and does something before the server confirms it. */
  readonly published: Sending[] = []
  confirms: (batch: readonly Sending[]) => Promise<void> | void = () => undefined
  depth: () => Promise<number> = async () => 0
  closed = 0

  consumer(credit = 10): RabbitConsumer {
    return new RabbitConsumer({
      connection: this.link,
      channel: this.channel,
      queues: ['jobs'],
      options: { credit, leaseMs: 30_000 },
      returner: new Returner({
        publish: async (batch) => {
          this.channel.calls.push(`publish ${batch.map(({ message }) => String(message.body)).join()}`)
          this.published.push(...batch)
          await this.confirms(batch)
        },
      }),
      depth: () => this.depth(),
      run: () => Promise.reject(new BrokerConnectionError('no channel for declarations')),
      consumerTimeoutMs: 0,
      keepsConsuming: false,
      closed: () => (this.closed += 1),
    })
  }

  /** Deliveries of these texts. */
  async claim(consumer: Consumer, ...texts: readonly string[]): Promise<readonly Delivery[]> {
    const fetching = consumer.fetch(texts.length, { waitMs: HOUR_MS, signal: never })
    await settled()
    for (const text of texts) this.channel.push(text)
    return fetching
  }
}

/** Resolves when everything has run that needs no server and no time. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function first(deliveries: readonly Delivery[]): Delivery {
  const [delivery] = deliveries
  if (delivery === undefined) throw new RangeError('nothing was claimed')
  return delivery
}

/** Time stands still until a test moves it. */
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'Date'] })
  // A process is never at its first moment when a message is handed out.
  jest.advanceTimersByTime(1)
})

afterEach(() => {
  jest.useRealTimers()
})

describe('a fetch from RabbitMQ', () => {
  it('opens an AMQP consumer that lets through as many as it asks for, and takes what is pushed', async () => {
    const bench = new Bench()
    const deliveries = await bench.claim(bench.consumer(), 'a', 'b')

    expect(bench.channel.calls).toEqual(['prefetch 2', 'consume jobs'])
    expect(textsOf(deliveries)).toEqual(['a', 'b'])
    expect(deliveries[0]).toMatchObject({ queue: 'jobs', deliveryCount: 1, redelivered: false, due: false })
  })

  it('comes back empty when its wait is over, and not before', async () => {
    const bench = new Bench()
    const fetching = bench.consumer().fetch(1, { waitMs: HOUR_MS, signal: never })
    let isBack = false
    void fetching.then(() => (isBack = true))

    await jest.advanceTimersByTimeAsync(HOUR_MS - 1)
    expect(isBack).toBe(false)
    await jest.advanceTimersByTimeAsync(1)

    expect(await fetching).toEqual([])
  })

  it('comes back empty when it is aborted, and what is pushed later is for the next', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const stop = new AbortController()
    const fetching = consumer.fetch(1, { waitMs: HOUR_MS, signal: stop.signal })
    await settled()

    stop.abort()
    expect(await fetching).toEqual([])
    bench.channel.push('late')

    expect(textsOf(await consumer.fetch(1, { waitMs: 0, signal: never }))).toEqual(['late'])
  })

  it('that may not wait asks how many there are, and takes those that come before the answer', async () => {
    const bench = new Bench()
    bench.depth = async () => {
      bench.channel.push('there')
      return 0
    }

    const deliveries = await bench.consumer().fetch(5, { waitMs: 0, signal: never })

    expect(textsOf(deliveries)).toEqual(['there'])
  })

  it('that may not wait comes back empty from an empty queue', async () => {
    const bench = new Bench()
    let asked = 0
    bench.depth = async () => {
      asked += 1
      return 0
    }

    expect(await bench.consumer().fetch(5, { waitMs: 0, signal: never })).toEqual([])
    expect(asked).toBe(1)
  })

  it('gives what no fetch asks for back to the queue, not counted', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    await bench.claim(consumer, 'a')
    bench.channel.push('b')

    await jest.advanceTimersByTimeAsync(250)

    expect(bench.channel.calls.slice(2)).toEqual(['cancel jobs#1', 'publish b', 'ack 2'])
    expect(bench.published[0]?.marks).toMatchObject({ 'lovage-deliveries': 0 })
  })
})

describe('the credit of a consumer on RabbitMQ', () => {
  it('bounds what is claimed and not settled', async () => {
    const bench = new Bench()
    const consumer = bench.consumer(2)
    const [a] = await bench.claim(consumer, 'a', 'b')
    bench.channel.push('c')
    const stop = new AbortController()
    const beyond = consumer.fetch(1, { waitMs: HOUR_MS, signal: stop.signal })
    let isBack = false
    void beyond.then(() => (isBack = true))
    await settled()
    expect(isBack).toBe(false)

    await consumer.ack(a === undefined ? [] : [a])

    expect(textsOf(await beyond)).toEqual(['c'])
  })

  it('that is used up opens no AMQP consumer, since a new one lets a message through at least', async () => {
    const bench = new Bench()
    const consumer = bench.consumer(3)
    const [a] = await bench.claim(consumer, 'a', 'b')
    await consumer.ack(a === undefined ? [] : [a])
    bench.channel.calls.length = 0

    await consumer.setCredit(1)
    expect(bench.channel.calls).toEqual(['cancel jobs#1', 'prefetch 0'])

    await consumer.setCredit(2)
    expect(textsOf(await bench.claim(consumer, 'c'))).toEqual(['c'])
  })

  it('that is used up waits until the server has read each acknowledgement under way', async () => {
    const bench = new Bench()
    const consumer = bench.consumer(3)
    const [, b] = await bench.claim(consumer, 'a', 'b')
    const confirmed = gate()
    bench.confirms = () => confirmed.passed
    const back = consumer.handBack(b === undefined ? [] : [{ delivery: b, delayMs: 0, unspent: true }])

    const lowered = consumer.setCredit(1)
    await settled()
    expect(bench.channel.calls).not.toContain('ack 2')
    confirmed.open()
    await lowered

    expect(bench.channel.calls.slice(-2)).toEqual(['ack 2', 'prefetch 0'])
    await back
  })

  it('comes down at once: what lies here beyond it goes back', async () => {
    const bench = new Bench()
    const consumer = bench.consumer(3)
    await bench.claim(consumer, 'a')
    bench.channel.push('b')
    bench.channel.push('c')

    await consumer.setCredit(2)

    expect(bench.published.map(({ message }) => String(message.body))).toEqual(['c'])
    expect(textsOf(await consumer.fetch(5, { waitMs: 0, signal: never }))).toEqual(['b'])
    expect(await consumer.fetch(5, { waitMs: 0, signal: never })).toEqual([])
  })
})

describe('a lost connection to RabbitMQ', () => {
  it('ends a fetch that waits, and each call after it, with the reason of the server', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const fetching = consumer.fetch(1, { waitMs: HOUR_MS, signal: never })
    fetching.catch(() => undefined)
    await settled()

    bench.channel.fail('PRECONDITION_FAILED')

    const reason = { code: 'LOVAGE_BROKER_CONNECTION', message: 'rabbitmq: PRECONDITION_FAILED' }
    await expect(fetching).rejects.toMatchObject(reason)
    await expect(consumer.fetch(1, { waitMs: 0, signal: never })).rejects.toMatchObject(reason)
    await expect(consumer.ack([])).rejects.toMatchObject(reason)
    await expect(consumer.setCredit(1)).rejects.toMatchObject(reason)
  })

  it('ends a fetch whose AMQP consumer is being opened', async () => {
    const bench = new Bench()
    const opening = gate()
    bench.channel.answers = (call) => (call === 'consume jobs' ? opening.passed : undefined)
    const fetching = bench.consumer().fetch(1, { waitMs: HOUR_MS, signal: never })
    fetching.catch(() => undefined)
    await settled()

    bench.link.isOpen = false
    bench.channel.fail('ECONNRESET')
    opening.open()

    await expect(fetching).rejects.toThrow('the connection is lost')
  })

  it('ends a fetch that may not wait while it asks how many there are', async () => {
    const bench = new Bench()
    const asking = gate<number>()
    bench.depth = () => asking.passed
    const fetching = bench.consumer().fetch(1, { waitMs: 0, signal: never })
    fetching.catch(() => undefined)
    await settled()

    bench.channel.fail('ECONNRESET')
    asking.open(3)

    await expect(fetching).rejects.toMatchObject({ code: 'LOVAGE_BROKER_CONNECTION' })
  })

  it('is what a deleted queue comes to', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    await bench.claim(consumer, 'a')

    bench.channel.deleteQueue()

    await expect(consumer.fetch(1, { waitMs: 0, signal: never })).rejects.toThrow('queue "jobs" was deleted')
  })

  it('settles nothing: an acknowledgement is refused and a hand-back acknowledges nothing', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const [a, b] = await bench.claim(consumer, 'a', 'b')
    if (a === undefined || b === undefined) throw new RangeError('nothing was claimed')
    const confirming = gate()
    bench.confirms = () => confirming.passed
    const returned = consumer.handBack([{ delivery: b, delayMs: 0, unspent: false }])

    bench.channel.fail('ECONNRESET')
    confirming.open()
    await returned

    await expect(consumer.ack([a])).rejects.toMatchObject({ code: 'LOVAGE_BROKER_CONNECTION' })
    expect(bench.channel.calls.filter((call) => call.startsWith('ack'))).toEqual([])
  })

  it('makes the same message no second delivery when it comes back to this process', async () => {
    const id = randomUUID()
    const before = new Bench()
    const consumer = before.consumer()
    const fetching = consumer.fetch(1, { waitMs: HOUR_MS, signal: never })
    await settled()
    before.channel.push('a', { id })
    const lost = first(await fetching)
    before.channel.fail('ECONNRESET')

    const after = new Bench()
    const again = after.consumer().fetch(1, { waitMs: HOUR_MS, signal: never })
    await settled()
    after.channel.push('a', { id, redelivered: true })

    expect(await again).toMatchObject([{ replaces: lost.tag, deliveryCount: 1, redelivered: true }])
  })
})

describe('settling on RabbitMQ', () => {
  it('acknowledges what leads in one frame, and what stands behind a gap by itself', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const [a, b, , d] = await bench.claim(consumer, 'a', 'b', 'c', 'd')
    if (a === undefined || b === undefined || d === undefined) throw new RangeError('nothing was claimed')

    expect(await consumer.ack([d, b, a])).toEqual([])

    expect(bench.channel.calls.slice(2)).toEqual(['ack up to 2', 'ack 4'])
  })

  it('tells which claims are not its own: settled before, or of another consumer', async () => {
    const bench = new Bench()
    const [consumer, other] = [bench.consumer(), new Bench()]
    const mine = first(await bench.claim(consumer, 'mine'))
    const foreign = first(await other.claim(other.consumer(), 'foreign'))

    expect(await consumer.ack([mine, foreign])).toEqual([foreign])
    expect(await consumer.ack([mine])).toEqual([mine])
    expect(await consumer.handBack([{ delivery: mine, delayMs: 0, unspent: false }])).toEqual([mine])

    expect(bench.channel.calls.slice(2)).toEqual(['ack up to 1'])
    expect(bench.published).toEqual([])
  })

  it('publishes what is handed back before it acknowledges it, and keeps what was refused', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const deliveries = await bench.claim(consumer, 'a', 'b')
    bench.confirms = () => {
      throw new PublishError('the second was refused', [1])
    }

    const handedBack = consumer.handBack(
      deliveries.map((delivery) => ({ delivery, delayMs: 5, unspent: false })),
    )

    await expect(handedBack).rejects.toThrow('the second was refused')
    expect(bench.channel.calls.slice(2)).toEqual(['publish a,b', 'ack up to 1'])
    expect(await consumer.ack(deliveries)).toEqual(deliveries.slice(0, 1))
  })
})

describe('closing a consumer on RabbitMQ', () => {
  it('gives every unsettled delivery back, not counted, and closes the channel last', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const [a, b] = await bench.claim(consumer, 'a', 'b')
    bench.channel.push('c')
    if (a === undefined || b === undefined) throw new RangeError('nothing was claimed')
    await consumer.ack([a])

    await Promise.all([consumer.close(), consumer.close()])

    expect(bench.channel.calls.slice(2)).toEqual([
      'ack up to 1',
      'cancel jobs#1',
      'publish b,c',
      'ack up to 3',
      'close',
    ])
    expect(bench.published.map(({ marks }) => marks?.['lovage-deliveries'])).toEqual([0, 0])
    expect(bench.closed).toBe(1)
  })

  it('gives back what the server pushes before it has read that the consumer ends', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    await bench.claim(consumer, 'a')
    bench.channel.answers = (call) => {
      if (call === 'cancel jobs#1') bench.channel.push('late')
    }

    await consumer.close()

    expect(bench.published.map(({ message }) => String(message.body))).toEqual(['a', 'late'])
  })

  it('ends a fetch that waits with nothing', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const fetching = consumer.fetch(1, { waitMs: HOUR_MS, signal: never })
    await settled()

    await consumer.close()

    expect(await fetching).toEqual([])
    expect(await consumer.fetch(1, { waitMs: HOUR_MS, signal: never })).toEqual([])
  })

  it('waits for a hand-back under way, and gives the same message back once', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    const delivery = first(await bench.claim(consumer, 'a'))
    const confirming = gate()
    bench.confirms = () => confirming.passed
    const handedBack = consumer.handBack([{ delivery, delayMs: 0, unspent: true }])

    const closing = consumer.close()
    await settled()
    confirming.open()
    await Promise.all([handedBack, closing])

    expect(bench.published.map(({ message }) => String(message.body))).toEqual(['a'])
    expect(textOf(delivery)).toBe('a')
  })

  it('ends well where the server refuses what is given back: it comes back by itself', async () => {
    const bench = new Bench()
    const consumer = bench.consumer()
    await bench.claim(consumer, 'a')
    bench.confirms = () => {
      throw new BrokerConnectionError('no answer')
    }

    await consumer.close()

    expect(bench.channel.calls.slice(2)).toEqual(['cancel jobs#1', 'publish a', 'close'])
    expect(bench.closed).toBe(1)
  })
})
