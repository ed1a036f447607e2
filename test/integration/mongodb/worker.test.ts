import { describe, expect, it, jest } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { createProject, type Project } from '../../e2e/project.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { Lovage } from '../../../src/index.js'

jest.setTimeout(60_000)

const server = serviceUrl('mongodb')
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
  readonly database: string
}

/** A project on a database of its own, and an app of this process that calls its tasks by name. */
async function openShop(): Promise<Shop> {
  const database = randomName('shop')
  const broker = new URL(`/${database}`, server).href
  const settings = { broker, lease: 2 }
  const project = await createProject({ 'tasks.ts': tasks(settings) })
  const app = new Lovage('shop', settings)
  return {
    app,
    project,
    database,
    [Symbol.asyncDispose]: async () => {
      await app.close()
      await project[Symbol.asyncDispose]()
    },
  }
}

withServer('the command line on MongoDB', () => {
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

  it('keeps messages and results in the collections of Celery', async () => {
    await using shop = await openShop()
    const { app, database } = shop
    const kept = await app.sendTask('shop.add', { args: [1, 2] })
    const client = new MongoClient(server ?? '')
    try {
      const db = client.db(database)
      const message = await db.collection('messages').findOne({})
      expect(Object.keys(message ?? {}).sort()).toEqual(['_id', 'payload', 'priority', 'queue'])
      expect(message).toMatchObject({ queue: 'celery', priority: 9 })
      await using worker = await shop.project.worker()
      expect(worker.pid).toBeGreaterThan(0)

      expect(await kept.get(20)).toBe(3)

      const result: unknown = await db
        .collection<{ _id: string }>('celery_taskmeta')
        .findOne({ _id: kept.id })
      expect(result).toMatchObject({
        _id: kept.id,
        status: 'SUCCESS',
        result: '3',
        date_done: expect.any(Date),
      })
      expect(await db.collection('messages').countDocuments({})).toBe(0)
    } finally {
      await client.close()
    }
  })
})
