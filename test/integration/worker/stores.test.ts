import { describe, expect, it, jest } from '@jest/globals'
import { listDeadLetters, replayDeadLetters } from '../../../src/control/dead-letters.js'
import { Reject } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { FaultBench } from '../../fault/fixture/fault-bench.js'
import { faultStores } from '../../fault/fixture/fault-store.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

describe.each(faultStores().map((store) => [store.name, store] as const))(
  'a worker on %s',
  (_name, store) => {
    it('runs in another process what this one sends, and its results are read here', async () => {
      await using bench = await FaultBench.open({}, false, store)
      const worker = await bench.worker()

      const result = await bench.tasks.note.delay(bench.log, 'a')

      expect(await result.get(20)).toBe(worker.pid)
      expect(await result.state()).toBe('SUCCESS')
    })

    it('keeps a delayed task in the store until it is due', async () => {
      await using bench = await FaultBench.open({}, false, store)
      await bench.worker()
      const startedMs = performance.now()

      const result = await bench.tasks.note.applyAsync([bench.log, 'a'], { countdown: { milliseconds: 700 } })
      await result.get(20)

      expect(performance.now() - startedMs).toBeGreaterThan(690)
      expect(bench.runs('a').map((run) => run.delivery)).toEqual([1])
    })

    it('prefers urgent tasks among what waits, by the direction of its priorities', async () => {
      await using bench = await FaultBench.open({}, false, store)
      const { note } = bench.tasks
      const results = [
        await note.applyAsync([bench.log, 'low'], { priority: 0 }),
        await note.applyAsync([bench.log, 'high'], { priority: 9 }),
        await note.applyAsync([bench.log, 'middle'], { priority: 5 }),
      ]
      await bench.worker({ concurrency: 1 })
      for (const result of results) await result.get(20)

      const served = bench.runs().map((run) => run.id)
      const inOrder = ['high', 'middle', 'low']
      expect(served).toEqual(store.firstPriority === 'largest' ? inOrder : inOrder.reverse())
    })

    it('keeps dead letters that can be listed and replayed', async () => {
      await using bench = await FaultBench.open({}, false, store)
      const { app } = bench.tasks
      let isOpen = false
      const pay = app.task('test.pay', () => {
        if (!isOpen) throw new Reject('the bank is closed')
        return 'paid'
      })
      await using worker = new Worker(app)
      await worker.start()

      const result = await pay.delay()
      await expect(result.get(20)).rejects.toThrow(/the bank is closed/)
      const broker = await internalsOf(app).broker()
      const letters = await listDeadLetters(broker, bench.queue)
      isOpen = true
      // Before it runs again, since that may be at once.
      await result.forget()
      await replayDeadLetters(broker, bench.queue)

      expect(letters).toMatchObject([
        { id: result.id, task: 'test.pay', reason: 'rejected', queue: bench.queue },
      ])
      expect(await result.get(20)).toBe('paid')
      expect(await listDeadLetters(broker, bench.queue)).toEqual([])
    })

    it('ends with no thread, timer or handle left', async () => {
      await using bench = await FaultBench.open({}, false, store)
      const child = await bench.worker()
      await (await bench.tasks.note.delay(bench.log, 'a')).get(20)

      child.kill('SIGTERM')
      const exit = await child.exited

      expect(exit).toMatchObject({ code: 0, signal: null })
    })
  },
)
