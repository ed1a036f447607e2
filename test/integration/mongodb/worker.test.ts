import { describe, expect, it, jest } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'
import { callsByCommandLine, openShop, type Shop } from '../worker/shop.js'

jest.setTimeout(60_000)

const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe

interface MongodbShop extends Shop {
  readonly database: string
}

/** A project on a database of its own. */
async function open(): Promise<MongodbShop> {
  const database = randomName('shop')
  const shop = await openShop({ broker: new URL(`/${database}`, server).href })
  return { ...shop, database }
}

withServer('the command line on MongoDB', () => {
  it('runs, retries and delays tasks of another process, which waits for their results', async () => {
    await using shop = await open()
    await callsByCommandLine(shop)
  })

  it('keeps messages and results in the collections of Celery', async () => {
    await using shop = await open()
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
