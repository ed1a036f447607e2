import { brotliDecompressSync, inflateSync } from 'node:zlib'

import { describe, expect, it } from '@jest/globals'

import { ContentDisallowedError, Lovage } from '../../../src/index.js'
import { Stage, type Store } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

const STORES: readonly Store[] = ['memory', 'sqlite']
const VALUE = { text: 'Grüße', list: [1, 2.5, null, true], nested: { deep: ['x'] } }

describe.each(STORES)('messages on %s', (store) => {
  it.each(['json', 'yaml', 'msgpack'])('%s goes to the worker and its result comes back', async (name) => {
    await using stage = await Stage.open(store, {
      taskSerializer: name,
      resultSerializer: name,
      acceptContent: [name],
    })
    const echo = stage.app.task('shop.echo', (value: unknown) => value)
    await stage.work()

    expect(await (await echo.delay(VALUE)).get(5)).toEqual(VALUE)
  })

  it.each([
    // What kombu calls gzip is the format of zlib.
    ['gzip', inflateSync],
    ['zlib', inflateSync],
    ['brotli', brotliDecompressSync],
  ] as const)('%s is in the store and is undone by the worker', async (name, undone) => {
    await using stage = await Stage.open(store, { taskCompression: name })
    const echo = stage.app.task('shop.echo', (text: string) => text)
    const text = 'x'.repeat(10_000)

    const result = await echo.delay(text)
    const [stored] = await stage.peek('celery')
    const body: unknown = JSON.parse(undone(stored?.body ?? new Uint8Array()).toString())
    await stage.work()

    expect(stored?.body.byteLength).toBeLessThan(500)
    expect(body).toEqual([[text], {}, expect.anything()])
    expect(await result.get(5)).toBe(text)
  })

  it('a result in a form that resultAcceptContent does not name is refused', async () => {
    await using stage = await Stage.open(store, { resultSerializer: 'yaml', resultAcceptContent: ['yaml'] })
    const { url } = stage
    await using strict = new Lovage('client', {
      broker: url,
      backend: url,
      resultSerializer: 'yaml',
      resultAcceptContent: ['json'],
    })
    stage.app.task('shop.echo', (value: unknown) => value)
    await stage.work()

    const result = await stage.app.sendTask('shop.echo', { args: [VALUE] })

    expect(await result.get(5)).toEqual(VALUE)
    await expect(strict.AsyncResult(result.id).get(5)).rejects.toBeInstanceOf(ContentDisallowedError)
  })

  it('dates, bytes and big integers come back as what they were', async () => {
    await using stage = await Stage.open(store)
    const echo = stage.app.task('shop.echo', (...values: unknown[]) => values)
    await stage.work()
    const values = [new Date(1_700_000_000_123), new Uint8Array([1, 2, 255]), 2n ** 70n]

    const received = await (await echo.delay(...values)).get(5)

    expect(received[0]).toEqual(values[0])
    expect(Buffer.from(Object(received[1]))).toEqual(Buffer.from([1, 2, 255]))
    expect(received[2]).toBe(2n ** 70n)
  })

  it('content that is not accepted is set aside with FAILURE, and the next task runs', async () => {
    await using stage = await Stage.open(store)
    const add = stage.app.task('shop.add', (x: number, y: number) => x + y)
    await stage.work()

    const refused = await add.applyAsync([1, 2], { serializer: 'yaml' })
    const next = await add.delay(1, 2)

    expect(await next.get(5)).toBe(3)
    await expect(refused.get(5)).rejects.toThrow(ContentDisallowedError.name)
    expect(await stage.depth('celery.dead')).toBe(1)
  })

  it('an error of the user’s own is rebuilt in an app that knows it, and named in one that does not', async () => {
    class GatewayError extends Error {
      readonly orderId: string
      constructor(orderId: string) {
        super(`no answer for ${orderId}`)
        this.orderId = orderId
      }
    }
    const mapping = {
      excModule: 'shop.errors',
      excType: 'GatewayError',
      excMessage: (error: GatewayError) => [error.orderId],
    }
    await using stage = await Stage.open(store)
    stage.app.registerError(GatewayError, mapping)
    stage.app.task('shop.charge', (orderId: string) => {
      throw new GatewayError(orderId)
    })
    await stage.work()
    const url = stage.url
    await using stranger = new Lovage('client', { broker: url, backend: url })

    const result = await stage.app.sendTask('shop.charge', { args: ['A-7'] })
    const known: unknown = await result.get({ timeout: 5, propagate: false })
    const unknown: unknown = await stranger.AsyncResult(result.id).get({ timeout: 5, propagate: false })

    expect(known).toBeInstanceOf(GatewayError)
    expect(known).toMatchObject({ orderId: 'A-7', message: 'no answer for A-7' })
    expect(unknown).not.toBeInstanceOf(GatewayError)
    expect(unknown).toMatchObject({ message: 'GatewayError: A-7' })
    expect(await result.traceback()).toContain('GatewayError')
  })
})

it.each(['pickle', 'application/x-python-serialize'])('%s can never be accepted', (name) => {
  const app = new Lovage('shop', { acceptContent: [name] })

  expect(() => internalsOf(app).queues()).toThrow(/pickle|code/)
})
