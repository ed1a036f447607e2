import assert from 'node:assert/strict'

import { startWorker } from 'lovage/testing'

import { add, app } from './tasks.js'

describe('the tasks of the shop', () => {
  let worker

  before(async () => {
    app.conf.update({ broker: 'memory://', backend: 'memory://' })
    worker = await startWorker(app)
  })

  after(async () => {
    await worker.stop()
    await app.close()
  })

  it('add', async () => {
    const result = await add.delay(2, 3)

    assert.equal(await result.get({ timeout: 5 }), 5)
  })
})
