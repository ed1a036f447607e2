import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { FaultBench } from './fixture/fault-bench.js'

jest.setTimeout(60_000)

describe('a worker whose task leaves an error that nothing catches', () => {
  it('by process.exit(0) says so, with what ran, and does not look like success', async () => {
    await using bench = await FaultBench.open()
    const culprit = await bench.tasks.end.delay(bench.log, 'culprit', 'process.exit')
    const other = await bench.tasks.wait.delay(bench.log, 'other', 60_000)

    const worker = await bench.worker({ concurrency: 10 })
    const { code, stderr } = await worker.exited

    expect(code).toBe(1)
    expect(stderr).toContain(`process.exit(0) in task fault.end[${culprit.id}] ends this worker`)
    expect(stderr).toContain(`fault.wait[${other.id}]`)
  })

  it('outside of every task names what runs, lets it end, and ends the process as Node.js does', async () => {
    await using bench = await FaultBench.open()
    const running = await bench.tasks.wait.delay(bench.log, 'running', 2_000)

    const worker = await bench.worker({ concurrency: 10 })
    while (bench.runs('running').length === 0) await sleep(10)
    process.kill(worker.pid, 'SIGUSR2')
    const { code, stderr } = await worker.exited

    expect(code).toBe(1)
    expect(stderr).toContain(
      `Nothing caught an error while these tasks ran: fault.wait[${running.id}]; the worker stops: nothing of a task`,
    )
    expect(stderr).toMatch(/throw error[^]*Error: nothing of a task/)
    expect(await running.get(5)).toEqual(expect.any(Number))
  })
})
