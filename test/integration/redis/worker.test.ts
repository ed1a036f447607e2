import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { createProject, type Project } from '../../e2e/project.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { Lovage } from '../../../src/index.js'

jest.setTimeout(60_000)

const server = serviceUrl('redis')
const withServer = server === undefined ? describe.skip : describe

const tasks = (settings: object): string => `
import { Lovage } from 'lovage'
export const app = new Lovage('shop', ${JSON.stringify(settings)})
export const add = app.task('shop.add', (x: number, y: number) => x + y)
export const now = app.task('shop.now', () => Date.now())
export const flaky = app.task({ name: 'shop.flaky', bind: true }, (self) => {
  if (self.request.retries < 2) throw self.retry({ countdown: { milliseconds: 50 } })
  return self.request.retries
})
export const fail = app.task('shop.fail', () => { throw new RangeError('no such parcel') })
`

interface Shop extends AsyncDisposable {
  readonly app: Lovage
  readonly project: Project
  readonly prefix: string
}

/** A project on keys of its own, and an app of this process that calls its tasks by name. */
async function openShop(transport: object = {}): Promise<Shop> {
  const prefix = `${randomName('shop')}:`
  const options = { global_keyprefix: prefix }
  const settings = {
    broker: server ?? '',
    backend: server ?? '',
    brokerTransportOptions: { ...options, ...transport },
    resultBackendTransportOptions: options,
    lease: 2,
  }
  const project = await createProject({ 'tasks.ts': tasks(settings) })
  const app = new Lovage('shop', settings)
  return {
    app,
    project,
    prefix,
    [Symbol.asyncDispose]: async () => {
      await app.close()
      await project[Symbol.asyncDispose]()
    },
  }
}

interface Keys extends AsyncDisposable {
  hlen(key: string): Promise<number>
  zcard(key: string): Promise<number>
  until(holds: () => Promise<boolean>): Promise<void>
}

function openKeys({ prefix }: Shop): Keys {
  const redis = new Redis(server ?? '')
  return {
    hlen: (key) => redis.hlen(prefix + key),
    zcard: (key) => redis.zcard(prefix + key),
    until: async (holds) => {
      const endMs = performance.now() + 10_000
      while (!(await holds())) {
        if (performance.now() > endMs) throw new RangeError('it did not come to that within 10 s')
        await sleep(10)
      }
    },
    [Symbol.asyncDispose]: async () => {
      await redis.quit()
    },
  }
}

withServer('the command line on Redis', () => {
  it('runs, retries and delays tasks of another process, which waits for their results', async () => {
    await using shop = await openShop()
    await using worker = await shop.project.worker()
    const { app } = shop

    const sum = await app.sendTask('shop.add', { args: [2, 3] })
    const retried = await app.sendTask('shop.flaky')
    const failed = await app.sendTask('shop.fail')
    const sentMs = Date.now()
    const later = await app.sendTask('shop.now', { countdown: { milliseconds: 400 } })
    const called = await shop.project.run(['-A', 'tasks', 'call', 'shop.add', '-a', '[4, 4]', '--wait'])

    expect(await sum.get(20)).toBe(5)
    expect(await retried.get(20)).toBe(2)
    await expect(failed.get(20)).rejects.toThrow('no such parcel')
    expect(Number(await later.get(20)) - sentMs).toBeGreaterThanOrEqual(400)
    expect(called.stdout.trim()).toBe('8')
    worker.kill('SIGTERM')
    expect(await worker.exited).toMatchObject({ code: 0 })
  })

  it('holds nothing claimed of a task whose eta another client wrote', async () => {
    await using shop = await openShop({ delay: 'eta' })
    await using worker = await shop.project.worker()
    expect(worker.pid).toBeGreaterThan(0)
    await using redis = openKeys(shop)
    const eta = Date.now() + 4_000

    const result = await shop.app.sendTask('shop.now', { eta: new Date(eta) })
    const nextYear = await shop.app.sendTask('shop.now', { eta: new Date(eta + 365 * 86_400_000) })
    await redis.until(async () => (await redis.zcard('_lovage.delayed.celery')) === 2)

    expect(await redis.hlen('unacked')).toBe(0)
    expect(Number(await result.get(20))).toBeGreaterThanOrEqual(eta)
    expect(await redis.zcard('_lovage.delayed.celery')).toBe(1)
    expect(await nextYear.state()).toBe('PENDING')
  })

  it('revokes what expired while it waited', async () => {
    await using shop = await openShop()
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
