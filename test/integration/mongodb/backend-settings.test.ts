import { describe, expect, it } from '@jest/globals'
import { Binary, MongoClient } from 'mongodb'
import type { ConfigInput } from '../../../src/config/config.js'
import { Lovage } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe
const text = 'x'.repeat(5_000)

interface Kept {
  readonly _id: string
  readonly result: unknown
}

/** Run a task whose result is long; returns what is kept of it in a collection. */
async function keptResult(settings: ConfigInput, database: string, collection: string): Promise<Kept | null> {
  const app = new Lovage('kept', { broker: 'memory://', ...settings })
  const long = app.task('kept.long', () => text)
  const worker = new Worker(app)
  await worker.start()
  const client = await MongoClient.connect(server ?? '')
  try {
    const result = await long.delay()
    expect(await result.get(20)).toBe(text)
    return await client.db(database).collection<Kept>(collection).findOne({ _id: result.id })
  } finally {
    await client.close()
    await worker.stop()
    await app.close()
  }
}

withServer('results in MongoDB', () => {
  it('are where mongodbBackendSettings says, and its options are the driver’s', async () => {
    const { hostname, port } = new URL(server ?? '')
    const database = randomName('settings')
    const place = { host: hostname, port: Number(port), database, taskmeta_collection: 'shop_results' }
    const mongodbBackendSettings = { ...place, max_pool_size: 3, options: { directConnection: true } }

    const kept = await keptResult({ backend: 'mongodb', mongodbBackendSettings }, database, 'shop_results')
    const failing = keptResult(
      { backend: 'mongodb', mongodbBackendSettings: { ...place, options: { noSuchOption: 1 } } },
      database,
      'shop_results',
    )

    expect(kept?.result).toBe(JSON.stringify(text))
    await expect(failing).rejects.toThrow(/nosuchoption/i)
  })

  it('are compressed as Celery compresses them, with resultCompression', async () => {
    const database = randomName('settings')
    const backend = new URL(`/${database}`, server).href

    const kept = await keptResult({ backend, resultCompression: 'gzip' }, database, 'celery_taskmeta')

    const stored = kept?.result instanceof Binary ? Buffer.from(kept.result.value()) : Buffer.alloc(0)
    expect(stored.subarray(0, 37).toString('latin1')).toBe('\0celery-compressed\0application/x-gzip')
    expect(stored.length).toBeLessThan(500)
  })
})
