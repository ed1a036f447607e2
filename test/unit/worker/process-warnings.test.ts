import { describe, expect, it, jest } from '@jest/globals'
import { Lovage } from '../../../src/index.js'
import { silentLogger } from '../../../src/task/logger.js'
import { Worker } from '../../../src/worker/index.js'

/** What `process.emitWarning` ends in. */
function say(message: string, name: string): void {
  process.emit('warning', Object.assign(new Error(message), { name, code: 'LOVAGE_SOME_CODE' }))
}

describe('what a driver warns the process of', () => {
  it('is a line in the log of a worker, from its start to its end, and other warnings are not', async () => {
    const warn = jest.fn()
    const app = new Lovage('warned', { broker: 'memory://' })
    const worker = new Worker(app, { logger: { ...silentLogger, warn } })

    await worker.start()
    say('the server has no change streams', 'LovageWarning')
    say('this is of something else', 'Warning')
    await worker.stop()
    say('nobody works any more', 'LovageWarning')
    await app.close()

    expect(warn.mock.calls).toEqual([[{ code: 'LOVAGE_SOME_CODE' }, 'the server has no change streams']])
  })
})
