import { expect } from '@jest/globals'
import { randomName, type InteropStage } from './stage.js'

/** How much work both languages share, and how often a worker of each is killed. */
export interface SharedWork {
  readonly tasks: number
  readonly kills: number
  /** Settings of Celery's workers, under Celery's names. */
  readonly conf: Readonly<Record<string, unknown>>
  /** Kill workers of Lovage only: where Celery has lost what a killed worker had taken. */
  readonly sparesPython?: boolean
}

/**
 * Workers of both languages on one queue while one of each is killed, again and again: every task ends once with its own
 * value, and none is missing.
 *
 * A worker of Celery dies within a task, and holds one message at a time: between taking a message and noting that it did,
 * Celery on Redis loses it whatever else is there.
 */
export async function shareQueue(
  stage: InteropStage,
  { tasks, kills, conf, sparesPython = false }: SharedWork,
): Promise<void> {
  const queue = randomName('shared')
  const path = stage.path('runs')
  const startPython = (): Promise<unknown> =>
    stage.pythonWorker({ queues: queue, conf: { ...conf, worker_prefetch_multiplier: 1 } })
  await Promise.all([startPython(), startPython(), stage.nodeWorker(queue), stage.nodeWorker(queue)])
  const results = await Promise.all(
    Array.from({ length: tasks }, (_, number) =>
      stage.app.sendTask('shared.work', { args: [number, path], queue }),
    ),
  )
  for (let kill = 1; kill <= kills; kill += 1) {
    await stage.lines(path, Math.floor((tasks * kill) / (kills + 2)))
    stage.touch(`${path}.kill-node`)
    if (!sparesPython) stage.touch(`${path}.kill-py`)
    if (kill < kills) await Promise.all([sparesPython || startPython(), stage.nodeWorker(queue)])
  }
  const values = await Promise.all(results.map((result) => result.get(60)))
  expect(values).toEqual(results.map((_, number) => number))
  const runs = await stage.lines(path, tasks)
  const languages = new Set(runs.map((line) => line.split(' ')[1]))
  expect(languages).toEqual(new Set(['node', 'py']))
  expect(new Set(runs.map((line) => line.split(' ')[0])).size).toBe(tasks)
  // Only what a killed worker had claimed may have run again: one task of Python, some of Node.
  expect(runs.length - tasks).toBeLessThanOrEqual(50 * kills)
}
