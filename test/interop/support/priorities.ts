import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '@jest/globals'
import type { ConfigInput } from '../../../src/config/config.js'
import { Lovage } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { randomName, type InteropStage } from './stage.js'

/** How a place has priorities. */
export interface Priorities {
  /** Which are served first. */
  readonly first: 'small' | 'large'
  /** The largest, where queues are declared with it. */
  readonly max?: number
}

/** Messages of both languages in one queue are served by a worker of either in the same order of their priorities. */
export async function servePriorities(
  stage: InteropStage,
  settings: ConfigInput,
  { first, max }: Priorities,
): Promise<void> {
  const [queue, path] = [randomName('urgent'), stage.path()]
  const app = new Lovage('interop', {
    ...settings,
    taskDefaultQueue: queue,
    ...(max !== undefined && { taskQueueMaxPriority: max }),
  })
  const order: number[] = []
  const note = app.task('py.note', (value: number, _path: string) => {
    order.push(value)
  })
  const send = async (): Promise<void> => {
    await stage.python.run(`
        ${max === undefined ? '' : `app.conf.task_queue_max_priority = ${String(max)}`}
        for priority in (9, 0, 6, 3):
            send('py.note', priority, '${path}', queue='${queue}', priority=priority)`)
    for (const priority of [8, 5, 1]) await note.applyAsync([priority, path], { priority })
  }
  const rising = [0, 1, 3, 5, 6, 8, 9]
  const wanted = first === 'small' ? rising : [...rising].reverse()

  await send()
  const worker = await startWorker(app, { concurrency: 1, prefetchMultiplier: 1 })
  for (const end = performance.now() + 10_000; order.length < 7 && performance.now() < end;) await sleep(10)
  await worker.stop()
  expect(order).toEqual(wanted)

  await send()
  const late = { worker_prefetch_multiplier: 1, task_acks_late: true }
  const conf = max === undefined ? {} : { conf: { ...late, task_queue_max_priority: max } }
  const celery = await stage.pythonWorker({ queues: queue, ...conf })
  const lines = await stage.lines(path, 7)
  if (lines.length < 7) throw new Error(`Celery ran ${String(lines.length)} of 7:\n${celery.output}`)
  expect(lines).toEqual(wanted.map(String))
  await app.close()
}
