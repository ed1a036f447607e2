import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { startWorker } from 'lovage/testing'
import type { Worker } from 'lovage/worker'

import { add, app } from './tasks.js'

let worker: Worker

before(async () => {
  app.conf.update({ broker: 'memory://', backend: 'memory://' })
  worker = await startWorker(app)
})

after(async () => {
  await worker.stop()
  await app.close()
})

test('a worker adds', async () => {
  const result = await add.delay(2, 3)

  assert.equal(await result.get({ timeout: 5 }), 5)
})
