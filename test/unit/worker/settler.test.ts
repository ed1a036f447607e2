import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import type {
  Broker,
  BrokerCapabilities,
  Consumer,
  Delivery,
  Outgoing,
  Settlement,
} from '../../../src/broker/contract.js'
import {
  BackendConnectionError,
  BackendError,
  BrokerConnectionError,
  PublishError,
} from '../../../src/errors/errors.js'
import { ClaimSet } from '../../../src/worker/claim/claim-set.js'
import { Settler } from '../../../src/worker/settle/settler.js'
import type { SettleItem, SettleStage } from '../../../src/worker/settle/settle-item.js'
import { ManualClock } from '../../support/manual-clock.js'
import { LogBook } from './harness.js'
import { deliveryOf } from '../../support/messages.js'

const unused = (): never => {
  throw new RangeError('not used here')
}

/** Stores that write down what is asked of them, and fail on demand. */
class FakeStores {
  readonly calls: string[] = []
  readonly failures: Error[] = []
  lost: readonly string[] = []
  held: readonly string[] | undefined

  readonly broker: Broker

  constructor(claims: BrokerCapabilities['claims']) {
    this.broker = {
      name: 'fake',
      capabilities: {
        maxBatch: 1000,
        maxDelayMs: 0,
        priorityLevels: 1,
        claims,
        depth: 'exact',
        exchanges: [],
        durable: true,
      },
      connect: unused,
      declare: async (queue) => this.#note(`declare ${queue.name}`),
      publish: async (batch) => this.#note(`publish ${batch.map((one) => one.route.routingKey).join(',')}`),
      consume: unused,
      depth: unused,
      purge: unused,
      delete: unused,
      close: unused,
    }
  }

  readonly backend: ResultBackend = {
    name: 'fake',
    shared: true,
    connect: unused,
    store: async (records, { ttlMs }) =>
      this.#note(`store ${records.map((record) => record.taskId).join(',')} for ${ttlMs}`),
    load: unused,
    forget: unused,
    close: unused,
  }

  consumer(settles: boolean): Consumer {
    const settle = async (settlements: readonly Settlement[]): Promise<readonly Delivery[]> => {
      this.#note(`settle ${settlements.map((one) => one.delivery.tag).join(',')}`)
      return settlements.map((one) => one.delivery).filter((one) => this.lost.includes(one.tag))
    }
    return {
      fetch: unused,
      ack: async (deliveries) => {
        this.#note(`ack ${deliveries.map((one) => one.tag).join(',')}`)
        return deliveries.filter((one) => this.lost.includes(one.tag))
      },
      handBack: async (items) => {
        this.#note(`hand back ${items.map((one) => one.delivery.tag).join(',')}`)
        return []
      },
      verify: async (deliveries) => {
        this.#note('verify')
        return deliveries.filter((one) => this.held?.includes(one.tag) ?? true)
      },
      setCredit: unused,
      close: unused,
      ...(settles ? { settle } : {}),
      ...(this.broker.capabilities.claims === 'leased' ? { holder: 'h' } : {}),
    }
  }

  #note(call: string): void {
    this.calls.push(call)
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
  }
}

class Item implements SettleItem {
  readonly delivery: Delivery
  readonly claims: ClaimSet
  readonly acked: boolean
  readonly settlement: Settlement
  readonly declares = undefined
  stage: SettleStage = 'new'
  end: 'applied' | 'lost' | Error | undefined

  constructor(tag: string, claims: ClaimSet, settlement: Partial<Settlement>, acked = false) {
    this.claims = claims
    this.acked = acked
    this.delivery = deliveryOf(tag)
    this.settlement = { delivery: this.delivery, publish: [], ...settlement }
  }

  settled(applied: boolean): void {
    this.end = applied ? 'applied' : 'lost'
  }

  refused(error: Error): void {
    this.end = error
  }
}

class SettlerBench {
  readonly clock = new ManualClock()
  readonly stores: FakeStores
  readonly lost: Error[] = []
  readonly orphans: SettleItem[] = []
  readonly settler: Settler
  readonly claims: ClaimSet

  constructor({
    settles = false,
    claims = 'leased',
  }: { readonly settles?: boolean; readonly claims?: BrokerCapabilities['claims'] } = {}) {
    this.stores = new FakeStores(claims)
    const { broker, backend } = this.stores
    const consumer = this.stores.consumer(settles)
    this.settler = new Settler({
      broker,
      consumer,
      backend,
      clock: this.clock,
      logger: new LogBook(),
      limitMs: 60_000,
      leaseMs: 30_000,
      lost: (error) => this.lost.push(error),
      orphaned: (item) => this.orphans.push(item),
    })
    this.claims = new ClaimSet({
      broker,
      consumer,
      settler: this.settler,
      changed: undefined,
      flush: undefined,
    })
  }

  add(tag: string, settlement: Partial<Settlement> = {}, acked = false): Item {
    const item = new Item(tag, this.claims, settlement, acked)
    this.settler.add(item)
    return item
  }
}

const record = (taskId: string): Settlement['record'] & object => ({
  taskId,
  state: 'SUCCESS',
  result: 1,
  children: [],
})

const to = (queue: string): Outgoing => ({
  route: { exchange: '', routingKey: queue },
  message: { body: new Uint8Array(), contentType: '', contentEncoding: '', headers: {}, properties: {} },
})

const ended = (...items: readonly Item[]): Promise<true> =>
  eventually(() => (items.every((item) => item.end !== undefined) ? true : undefined))

describe('Settler', () => {
  it('writes what ends in one turn of the event loop as one batch', async () => {
    const { stores, ...bench } = new SettlerBench({ settles: true })
    const items = ['a', 'b', 'c'].map((tag) => new Item(tag, bench.claims, {}))

    for (const item of items) bench.settler.add(item)
    await ended(...items)

    expect(stores.calls).toEqual(['settle a,b,c'])
    expect(items.map((item) => item.end)).toEqual(['applied', 'applied', 'applied'])
  })

  it('keeps the written order where no store does it in one step', async () => {
    const bench = new SettlerBench()

    const first = bench.add('a', { publish: [to('next')], record: record('a'), recordTtlMs: 500 })
    const second = bench.add('b', { handBack: { delayMs: 0, unspent: true } })
    await ended(first, second)

    expect(bench.stores.calls).toEqual(['verify', 'publish next', 'store a for 500', 'ack a', 'hand back b'])
  })

  it('applies nothing of a claim that is lost', async () => {
    const bench = new SettlerBench()
    bench.stores.held = ['b']

    const lost = bench.add('a', { publish: [to('next')], record: record('a') })
    const held = bench.add('b', { record: record('b') })
    await ended(lost, held)

    expect([lost.end, held.end]).toEqual(['lost', 'applied'])
    expect(bench.stores.calls).toEqual(['verify', 'store b for 0', 'ack b'])
  })

  it('reports what the one step found lost', async () => {
    const bench = new SettlerBench({ settles: true })
    bench.stores.lost = ['b']

    const items = [bench.add('a'), bench.add('b')]
    await ended(...items)

    expect(items.map((item) => item.end)).toEqual(['applied', 'lost'])
  })

  it('goes on where it stopped when the result store fails for a while', async () => {
    const bench = new SettlerBench()
    const item = bench.add('a', { publish: [to('next')], record: record('a') })
    bench.stores.failures.push(...noFailures(2), new BackendConnectionError('gone'))

    await eventually(() => (bench.clock.waiting > 0 ? true : undefined))
    bench.clock.advance(1_000)
    await ended(item)

    expect(item.end).toBe('applied')
    expect(bench.stores.calls).toEqual([
      'verify',
      'publish next',
      'store a for 0',
      'verify',
      'store a for 0',
      'ack a',
    ])
  })

  it('asks again after a lost connection where claims outlive it', async () => {
    const bench = new SettlerBench({ settles: true })
    bench.stores.failures.push(new BrokerConnectionError('gone'))
    const item = bench.add('a')

    await eventually(() => (bench.lost.length > 0 ? true : undefined))
    expect(item.end).toBeUndefined()
    bench.settler.retryNow()
    await ended(item)

    expect(item.end).toBe('applied')
  })

  it('drops settlements where claims die with their connection, and keeps what needs no claim', async () => {
    const bench = new SettlerBench({ claims: 'connection' })
    bench.stores.failures.push(new BrokerConnectionError('gone'))

    const claimed = bench.add('a', { record: record('a') })
    const early = bench.add('b', { record: record('b') }, true)
    await ended(claimed)
    const late = bench.add('c')

    expect([claimed.end, late.end]).toEqual(['lost', 'lost'])
    expect(bench.orphans).toEqual([early])
  })

  it('lets one refused settlement not hold up the others', async () => {
    const bench = new SettlerBench({ settles: true })
    bench.stores.failures.push(new BackendError('too large'), ...noFailures(1), new BackendError('too large'))

    const items = ['a', 'b', 'c'].map((tag) => bench.add(tag))
    await ended(...items)

    expect(bench.stores.calls).toEqual(['settle a,b,c', 'settle a', 'settle b', 'settle c'])
    expect(items.map((item) => item.end)).toEqual(['applied', expect.any(BackendError), 'applied'])
  })

  it('does not publish again what was confirmed before one message of the batch failed', async () => {
    const bench = new SettlerBench()
    bench.stores.failures.push(...noFailures(1), new PublishError('no queue', [1]))

    const good = bench.add('a', { publish: [to('next')] })
    const bad = bench.add('b', { publish: [to('nowhere')] })
    await ended(good, bad)

    const publishes = bench.stores.calls.filter((call) => call.startsWith('publish'))
    expect(publishes).toEqual(['publish next,nowhere', 'publish nowhere'])
    expect(good.end).toBe('applied')
  })
})

/** Calls that succeed before the failures that follow. */
function noFailures(count: number): Error[] {
  return Array<Error>(count)
}
