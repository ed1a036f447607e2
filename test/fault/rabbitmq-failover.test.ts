import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { Worker } from '../../src/worker/index.js'
import { canStartRabbitmq, RabbitmqServer } from '../support/rabbitmq-server.js'
import { tempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp } from './fixture/tasks.js'

jest.setTimeout(180_000)

const withServers = canStartRabbitmq() ? describe : describe.skip

withServers('two RabbitMQ servers in one list', () => {
  it('stand in for each other, and what one had is run when it is back', async () => {
    await using folder = await tempFolder('failover')
    const runs = new NotedRuns(folder.file('runs.log'))
    const [first, second] = await Promise.all([RabbitmqServer.start(), RabbitmqServer.start()])
    await using _first = first
    await using _second = second
    await first.kill()
    const { app, wait } = faultApp({
      broker: `${first.url};${second.url}`,
      backend: false,
      taskIgnoreResult: true,
      taskPublishRetry: false,
    })
    const worker = new Worker(app, { concurrency: 5 })
    const accepted: string[] = []
    const send = async (id: string, ms: number): Promise<void> => {
      for (const endMs = performance.now() + 30_000; ; await sleep(100)) {
        try {
          await wait.delay(runs.path, id, ms)
          accepted.push(id)
          return
        } catch (error) {
          if (performance.now() > endMs) throw error
        }
      }
    }
    const ran = async (ids: readonly string[]): Promise<readonly string[]> => {
      const missing = (): readonly string[] => ids.filter((id) => runs.of(id).length === 0)
      for (const endMs = performance.now() + 30_000; performance.now() < endMs; await sleep(50))
        if (missing().length === 0) return []
      return missing()
    }

    // The first one is down when they start.
    await worker.start()
    await send('at-second', 1)
    expect(await ran(['at-second'])).toEqual([])

    // The second one is stopped while it has work.
    await first.start()
    for (let index = 0; index < 40; index += 1) await send(`left-${String(index)}`, 200)
    await second.kill()
    const beganMs = performance.now()
    await send('at-first', 1)
    expect(await ran(['at-first'])).toEqual([])
    expect(performance.now() - beganMs).toBeLessThan(15_000)

    // What it had is still there.
    await second.start()
    const rest = faultApp({ broker: second.url, backend: false, taskIgnoreResult: true })
    const helper = new Worker(rest.app, { concurrency: 20 })
    await helper.start()
    expect(await ran(accepted)).toEqual([])
    await Promise.all([worker.stop(), helper.stop()])
    await Promise.all([app.close(), rest.app.close()])
  })
})
