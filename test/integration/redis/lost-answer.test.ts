import { describe, expect, it, jest } from '@jest/globals'
import { Lovage } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { HalfOpenProxy } from '../../support/half-open-proxy.js'
import { randomName } from '../../support/temp.js'
import { server } from './stage.js'

jest.setTimeout(60_000)

/** In seconds; within one, what was claimed and never arrived is run. */
const LEASE = 15

const withServer = server === '' ? describe.skip : describe

withServer('the answer to a claim on Redis', () => {
  it('that is lost beside a long task holds back no message', async () => {
    const url = new URL(server)
    await using proxy = await HalfOpenProxy.open(Number(url.port), url.hostname)
    url.port = String(proxy.port)
    const options = { global_keyprefix: `${randomName('answer')}:` }
    const settings = (place: string): ConfigInput => ({
      broker: place,
      backend: server,
      lease: LEASE,
      brokerTransportOptions: options,
      resultBackendTransportOptions: options,
    })
    let [began, end]: [() => void, () => void] = [() => undefined, () => undefined]
    const beginning = new Promise<void>((resolve) => (began = resolve))
    const ending = new Promise<void>((resolve) => (end = resolve))
    await using there = new Lovage('answer', settings(url.href))
    there.task('answer.long', async () => {
      began()
      await ending
    })
    there.task('answer.short', (text: string) => text)
    await using here = new Lovage('answer', settings(server))
    await using worker = new Worker(there, { concurrency: 10 })
    await worker.start()
    const long = await here.sendTask('answer.long')
    await beginning

    const swallowed = proxy.swallow('answer.short')
    const names = Array.from({ length: 20 }, (_, n) => `message-${String(n)}`)
    const sent = await Promise.all(names.map((name) => here.sendTask('answer.short', { args: [name] })))
    await swallowed

    expect(await Promise.all(sent.map((result) => result.get(LEASE)))).toEqual(names)
    expect(await long.ready()).toBe(false)
    end()
    await long.get(10)
  })
})
