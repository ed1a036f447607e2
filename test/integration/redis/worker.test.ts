import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually } from '../../conformance/time.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { callsByCommandLine, openShop, type Shop } from '../worker/shop.js'

jest.setTimeout(60_000)

const server = serviceUrl('redis')
const withServer = server === undefined ? describe.skip : describe

interface RedisShop extends Shop {
  readonly prefix: string
}

/** A project on keys of its own. */
async function open(transport: object = {}): Promise<RedisShop> {
  const prefix = `${randomName('shop')}:`
  const options = { global_keyprefix: prefix }
  const shop = await openShop({
    broker: server ?? '',
    backend: server ?? '',
    brokerTransportOptions: { ...options, ...transport },
    resultBackendTransportOptions: options,
  })
  return { ...shop, prefix }
}

interface Keys extends AsyncDisposable {
  hlen(key: string): Promise<number>
  zcard(key: string): Promise<number>
}

function openKeys({ prefix }: RedisShop): Keys {
  const redis = new Redis(server ?? '')
  return {
    hlen: (key) => redis.hlen(prefix + key),
    zcard: (key) => redis.zcard(prefix + key),
    [Symbol.asyncDispose]: async () => {
      await redis.quit()
    },
  }
}

withServer('the command line on Redis', () => {
  it('runs, retries and delays tasks of another process, which waits for their results', async () => {
    await using shop = await open()
    await callsByCommandLine(shop)
  })

  it('holds nothing claimed of a task whose eta another client wrote', async () => {
    await using shop = await open({ delay: 'eta' })
    await using worker = await shop.project.worker()
    expect(worker.pid).toBeGreaterThan(0)
    await using redis = openKeys(shop)
    const eta = Date.now() + 8_000

    const result = await shop.app.sendTask('shop.now', { eta: new Date(eta) })
    const nextYear = await shop.app.sendTask('shop.now', { eta: new Date(eta + 365 * 86_400_000) })
    await eventually(async () => (await redis.zcard('_lovage.delayed.celery')) === 2)

    expect(await redis.hlen('unacked')).toBe(0)
    expect(Number(await result.get(20))).toBeGreaterThanOrEqual(eta)
    expect(await redis.zcard('_lovage.delayed.celery')).toBe(1)
    expect(await nextYear.state()).toBe('PENDING')
  })

  it('revokes what expired while it waited', async () => {
    await using shop = await open()
    const { app } = shop
    const expired = await app.sendTask('shop.add', { args: [1, 1], expires: { milliseconds: 50 } })
    const kept = await app.sendTask('shop.add', { args: [1, 2], expires: 60 })
    await sleep(100)
    await using worker = await shop.project.worker()
    expect(worker.pid).toBeGreaterThan(0)

    expect(await kept.get(20)).toBe(3)
    await expect(expired.get(20)).rejects.toMatchObject({ code: 'LOVAGE_TASK_REVOKED' })
  })
})
