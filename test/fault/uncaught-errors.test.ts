import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { listDeadLetters } from '../../src/control/dead-letters.js'
import { FaultBench } from './fixture/fault-bench.js'

jest.setTimeout(60_000)

describe('a worker whose task leaves an error that nothing catches', () => {
  it.each([
    ['unhandled rejection', 'nobody waits for this'],
    ['error in a timer', 'nobody catches this'],
  ] as const)('by an %s fails that task, lets others end, and stops', async (how, message) => {
    await using bench = await FaultBench.open({ shutdownTimeout: 2, maxDeliveries: 1 })
    const { end, wait, app } = bench.tasks
    const culprit = await end.delay(bench.log, 'culprit', how)
    const short = []
    for (const id of ['a', 'b', 'c']) short.push(await wait.delay(bench.log, id, 500))
    const long = await wait.delay(bench.log, 'long', 6_000)

    const worker = await bench.worker({ concurrency: 10 })
    const { stdout, stderr } = await worker.exited

    expect(stderr).toContain(`Nothing caught an error of fault.end[${culprit.id}], which fails`)
    expect(JSON.parse(stdout.split('\n')[1] ?? '')).toMatchObject({
      reason: 'failed',
      interrupted: [{ id: long.id, handedBack: true }],
    })
    await expect(culprit.get(5)).rejects.toThrow(message)
    for (const result of short) expect(await result.get(5)).toEqual(expect.any(Number))
    await bench.worker()
    expect(await long.get(20)).toEqual(expect.any(Number))
    expect(bench.runs('long').map((run) => run.delivery)).toEqual([1, 1])
    expect(bench.runs('culprit')).toHaveLength(1)
    expect(await listDeadLetters(await app.broker(), bench.queue)).toEqual([])
  })

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
