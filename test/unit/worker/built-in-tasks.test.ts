import { describe, expect, it } from '@jest/globals'
import { Bench } from './harness.js'
import { internalsOf } from '../../../src/util/internals.js'

describe('celery.backend_cleanup', () => {
  it('is served by every worker and deletes expired results', async () => {
    await using bench = new Bench()
    bench.app.task('tasks.add', (x: number, y: number) => x + y)
    const backend = await internalsOf(bench.app).resultBackend()
    let cleanups = 0
    const cleanup = async (): Promise<number> => {
      cleanups += 1
      return 0
    }
    Object.assign(backend, { cleanup })
    await bench.start()

    const result = await bench.app.sendTask('celery.backend_cleanup')

    expect(await result.get(5)).toBeNull()
    expect(cleanups).toBe(1)
    expect([...bench.app.tasks.keys()]).toEqual(['tasks.add'])
  })
})
