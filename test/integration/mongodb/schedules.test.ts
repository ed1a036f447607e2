import { describe, expect, it } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { createBroker } from '../../../brokers/mongodb/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker, ScheduleStore } from '../../../src/broker/contract.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { textMessage } from '../sql/queue.js'

const server = serviceUrl('mongodb')
const QUEUE = 'beat'
const AT_MS = Date.UTC(2026, 0, 1)

/** A database of its own: two brokers on it, and the driver. */
class Place implements AsyncDisposable {
  readonly #brokers: Broker[] = []
  readonly #client: MongoClient
  readonly #url: URL

  constructor(url: string) {
    this.#url = new URL(url)
    this.#url.pathname = `/${randomName('beat')}`
    this.#client = new MongoClient(this.#url.href)
  }

  async open(): Promise<{ readonly broker: Broker; readonly part: ScheduleStore }> {
    const broker = guardBroker(createBroker(parseConnectionUrl(this.#url.href), {}))
    this.#brokers.push(broker)
    await broker.connect(new AbortController().signal)
    await broker.declare({ name: QUEUE, lifetime: 'durable', bindings: [] })
    if (broker.schedules === undefined) throw new TypeError('MongoDB holds schedules')
    return { broker, part: broker.schedules }
  }

  /** Enter an occurrence as a beat leaves it that is killed before its message is out. */
  async begin(id: string, entry: string): Promise<void> {
    const database = this.#client.db(this.#url.pathname.slice(1))
    const occurrences = database.collection<{ _id: string }>('messages.lovage.beat.occurrences')
    await occurrences.insertOne({ _id: id, ...{ entry, atMs: AT_MS, sending: 'one who is gone' } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.close()))
    await this.#client.close()
  }
}

describe('an occurrence in MongoDB that a beat began to send and did not finish', () => {
  if (server === undefined) {
    it.skip('is tested where a server is', () => undefined)
    return
  }

  it('is sent by another one, once, however many meet it', async () => {
    await using place = new Place(server)
    const [one, two] = [await place.open(), await place.open()]
    await one.part.saveEntry('tick', {})
    await place.begin('killed', 'tick')
    const occurrence = { id: 'killed', entry: 'tick', scheduledAtMs: AT_MS }

    const claims = await Promise.all(
      [one, two, one].map(({ part }) => part.claimOccurrence(occurrence, [textMessage(QUEUE, 'late')])),
    )
    const again = await two.part.claimOccurrence(occurrence, [textMessage(QUEUE, 'again')])

    expect([claims.filter(Boolean).length, again]).toEqual([1, false])
    expect(await one.broker.depth(QUEUE)).toBe(1)
    expect((await two.part.loadEntries()).get('tick')).toEqual({ data: {}, lastMs: AT_MS, version: '{}' })
  }, 30_000)

  it('may be of an entry whose data has any keys, and goes with the entry', async () => {
    await using place = new Place(server)
    const { part } = await place.open()
    const data = { 'a.b': { $set: 1 }, '': null }
    await part.saveEntry('a.$b', data)
    const occurrence = { id: 'first', entry: 'a.$b', scheduledAtMs: AT_MS }
    expect(await part.claimOccurrence(occurrence, [])).toBe(true)
    expect((await part.loadEntries()).get('a.$b')).toMatchObject({ data, lastMs: AT_MS })

    await part.removeEntry('a.$b')
    await part.saveEntry('a.$b', data)

    expect(await part.claimOccurrence(occurrence, [])).toBe(true)
  })
})
