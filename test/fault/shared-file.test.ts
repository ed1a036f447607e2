import { describe, expect, it, jest } from '@jest/globals'
import { FaultBench } from './fixture/fault-bench.js'

jest.setTimeout(60_000)

describe('two workers on one file', () => {
  it('run each of many tasks once, and both take part', async () => {
    await using bench = await FaultBench.open()
    await bench.worker({ concurrency: 4 })
    await bench.worker({ concurrency: 4 })
    const { wait } = bench.tasks

    const results = []
    for (let sent = 0; sent < 400; sent += 100) {
      const batch = Array.from({ length: 100 }, (_, index) => wait.delay(bench.log, String(sent + index), 5))
      results.push(...(await Promise.all(batch)))
    }
    const pids = new Set<number>()
    for (const result of results) pids.add(await result.get(30))

    const runs = bench.runs()
    expect(runs).toHaveLength(400)
    expect(new Set(runs.map((run) => run.id)).size).toBe(400)
    expect(pids.size).toBe(2)
  })

  it('leave the rest to the other when one is stopped, with nothing spent and nothing lost', async () => {
    await using bench = await FaultBench.open()
    const first = await bench.worker({ concurrency: 4 })
    const { wait } = bench.tasks
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, index) => wait.delay(bench.log, String(index), 50)),
    )
    await results[0]?.get(20)

    first.kill('SIGTERM')
    const exit = await first.exited
    await bench.worker({ concurrency: 10 })
    for (const result of results) await result.get(20)

    expect(exit.code).toBe(0)
    expect(exit.stdout).toContain('"reason":"stopped","interrupted":[]')
    expect(bench.runs()).toHaveLength(60)
    expect(bench.runs().every((run) => run.delivery === 1)).toBe(true)
  })

  it('get an interrupted task back at once after the second signal', async () => {
    await using bench = await FaultBench.open()
    const first = await bench.worker()
    const result = await bench.tasks.wait.delay(bench.log, 'a', 8_000)
    while (bench.runs('a').length === 0) await new Promise((resolve) => setTimeout(resolve, 10))

    first.kill('SIGTERM')
    await first.waitForLine(/Warm shutdown/)
    const startedMs = performance.now()
    first.kill('SIGTERM')
    const exit = await first.exited
    const tookMs = performance.now() - startedMs
    const second = await bench.worker()

    // Clearly below what the task has left.
    expect(tookMs).toBeLessThan(6_000)
    expect(JSON.parse(exit.stdout.split('\n')[1] ?? '')).toMatchObject({
      interrupted: [{ id: result.id, task: 'fault.wait', handedBack: true }],
    })
    expect(await result.get(40)).toBe(second.pid)
    expect(bench.runs('a').map((run) => run.delivery)).toEqual([1, 1])
  })
})
