import { startWorker } from 'lovage/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { add, app } from './tasks.js'

let worker

beforeAll(async () => {
  app.conf.update({ broker: 'memory://', backend: 'memory://' })
  worker = await startWorker(app)
})

afterAll(async () => {
  await worker.stop()
  await app.close()
})

test('a worker adds', async () => {
  const result = await add.delay(2, 3)

  expect(await result.get({ timeout: 5 })).toBe(5)
})
