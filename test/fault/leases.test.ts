import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { eventually } from '../conformance/time.js'
import { FaultBench } from './fixture/fault-bench.js'
import { killStores } from './fixture/fault-store.js'

jest.setTimeout(60_000)

const withLeases = killStores().filter((store) => store.hasLeases)

describe.each(withLeases.map((store) => [store.name, store] as const))(
  'leases between processes on %s',
  (_name, store) => {
    it('keep a task that blocks the event loop for several leases with its worker', async () => {
      await using bench = await FaultBench.open({}, false, store)
      const first = await bench.worker()
      const result = await bench.tasks.block.delay(
        bench.log,
        'a',
        Math.max(4_000, 2.5 * (store.leaseMs ?? 1_000)),
      )
      await eventually(() => bench.runs('a').length > 0, 20_000)
      await bench.worker()

      expect(await result.get(30)).toBe(first.pid)
      expect(bench.runs('a')).toHaveLength(1)
      await first.waitForLine(/event loop was blocked/)
    })

    it('pass to another worker when a process stands still, and the stale owner is refused', async () => {
      await using bench = await FaultBench.open({}, false, store)
      const first = await bench.worker()
      const result = await bench.tasks.wait.delay(bench.log, 'a', 1_500)
      await eventually(() => bench.runs('a').length > 0, 20_000)

      first.kill('SIGSTOP')
      const second = await bench.worker()
      expect(await result.get(20)).toBe(second.pid)
      first.kill('SIGCONT')
      await first.waitForLine(/lost its claim/)
      await sleep(1_500)

      expect(await result.get(1)).toBe(second.pid)
      const again: unknown = store.servesStopped === true ? expect.any(Number) : 2
      expect(bench.runs('a').map((run) => run.delivery)).toEqual([1, again])
      expect((await bench.tasks.note.delay(bench.log, 'b')).id).toBeDefined()
    })
  },
)
