import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { Lovage } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'

interface Places {
  readonly usual: string | false
  readonly own: string
}

/** An app whose task `shop.kept` has a backend of its own. */
function appWith({ usual, own }: Places): Lovage {
  const app = new Lovage('shop', { broker: `memory://${randomUUID()}`, backend: usual })
  app.task('shop.add', (x: number, y: number) => x + y)
  app.task({ name: 'shop.kept', backend: own }, (x: number) => {
    if (x < 0) throw new RangeError('below zero')
    return x
  })
  return app
}

function places(): { readonly usual: string; readonly own: string } {
  return { usual: `memory://${randomUUID()}`, own: `memory://${randomUUID()}` }
}

describe('the option backend of a task', () => {
  it('keeps its results there, and those of other tasks with the app', async () => {
    const at = places()
    const app = appWith(at)
    const worker = await startWorker(app)
    const reader = new Lovage('reader', { broker: 'memory://', backend: at.own })

    const kept = await app.sendTask('shop.kept', { args: [7] })
    const usual = await app.sendTask('shop.add', { args: [1, 2] })
    const failed = await app.sendTask('shop.kept', { args: [-1] })

    expect([await kept.get(5), await usual.get(5)]).toEqual([7, 3])
    await expect(failed.get(5)).rejects.toThrow('below zero')
    expect(await reader.AsyncResult(kept.id).get(5)).toBe(7)
    expect(await reader.AsyncResult(usual.id).state()).toBe('PENDING')
    expect(await app.AsyncResult(kept.id).state()).toBe('PENDING')
    await worker.stop()
    await Promise.all([app.close(), reader.close()])
  })

  it('stores results although the app has no backend', async () => {
    const app = appWith({ ...places(), usual: false })
    const worker = await startWorker(app)

    const kept = await app.sendTask('shop.kept', { args: [7] })
    await app.sendTask('shop.add', { args: [1, 2] })

    expect(await kept.get(5)).toBe(7)
    await eventually(() => worker.status.running === 0)
    await worker.stop()
    await app.close()
  })

  it.each(['rpc://', 'redsi://localhost'])('is refused when a worker starts: %s', async (own) => {
    const app = appWith({ ...places(), own })

    await expect(startWorker(app)).rejects.toThrow(
      own === 'rpc://'
        ? 'expected the backend of a task to keep results, got: rpc://'
        : 'did you mean "redis"',
    )
    await app.close()
  })
})
