import { describe, expect, it } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { Lovage } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { HalfOpenProxy } from '../support/half-open-proxy.js'
import { serviceUrl } from '../support/service-url.js'
import { randomName } from '../support/temp.js'

const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe

withServer('a worker on MongoDB', () => {
  it('that loses the answer to a claim beside a long task gives back what it never received', async () => {
    const { hostname, port } = new URL(server ?? '')
    const database = randomName('lost-claim')
    const urlAt = (at: number): string =>
      `mongodb://127.0.0.1:${String(at)}/${database}?directConnection=true&socket_timeout=2`
    await using proxy = await HalfOpenProxy.open(Number(port), hostname)
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    let began: () => void = () => undefined
    const isRunning = new Promise<void>((resolve) => (began = resolve))
    const appAt = (at: number): Lovage => new Lovage('lost', { broker: urlAt(at), backend: urlAt(at) })
    await using app = appAt(proxy.port)
    app.task('lost.wait', () => {
      began()
      return released
    })
    app.task('lost.note', (n: number) => n)
    await using caller = appAt(Number(port))
    await using _worker = await startWorker(app, { concurrency: 2 })
    const long = await caller.sendTask('lost.wait')
    await isRunning

    const swallowed = proxy.swallow('lost.note')
    const sent = await Promise.all(
      Array.from({ length: 10 }, (_, n) => caller.sendTask('lost.note', { args: [n] })),
    )
    await swallowed
    // Within the lease of 30 seconds: nothing waits for one to run out.
    const values = await Promise.all(sent.map((result) => result.get(25)))

    expect(values).toEqual(sent.map((_, n) => n))
    expect(await long.ready()).toBe(false)
    release()
    await long.get(20)
    const client = await new MongoClient(server ?? '').connect()
    await client.db(database).dropDatabase()
    await client.close()
  }, 90_000)
})
