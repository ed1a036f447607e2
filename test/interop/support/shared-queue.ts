import { expect } from '@jest/globals'
import { randomName, type InteropStage } from './stage.js'

/** How much work both languages share, and how often a worker of each is killed. */
export interface SharedWork {
  readonly tasks: number
  readonly kills: number
  /** Whose workers are killed; where Celery loses what a killed worker has, none of its own is. */
  readonly killed?: readonly ('node' | 'py')[]
  /** Two unless named: one that is killed and one that goes on. */
  readonly pythonWorkers?: 1 | 2
  /** Python's client sends half of it, unless told otherwise: where a caller alone can read its results. */
  readonly pythonSends?: boolean
  /** Settings of Celery's workers, under Celery's names. */
  readonly conf?: Readonly<Record<string, unknown>>
}

/**
 * Workers of both languages on one queue that clients of both send to, while one of each is killed, again and again: every task ends once with its own
 * value, and none is missing.
 *
 * A worker of Celery dies within a task, and holds one message at a time: between taking a message and noting that it did,
 * Celery on Redis loses it whatever else is there.
 */
export async function shareQueue(
  stage: InteropStage,
  { tasks, kills, conf = {}, killed = ['node', 'py'], pythonWorkers = 2, pythonSends = true }: SharedWork,
): Promise<void> {
  const queue = randomName('shared')
  const path = stage.path('runs')
  const half = pythonSends ? Math.floor(tasks / 2) : tasks
  const startPython = (): Promise<unknown> =>
    stage.pythonWorker({ queues: queue, conf: { ...conf, worker_prefetch_multiplier: 1 } })
  const pythons = Array.from({ length: pythonWorkers }, startPython)
  await Promise.all([...pythons, stage.nodeWorker(queue), stage.nodeWorker(queue)])
  const fromPython = stage.python.run<readonly string[]>(`
    return [send('shared.work', number, '${path}', queue='${queue}').id for number in range(${half}, ${tasks})]`)
  const fromLovage = await Promise.all(
    Array.from({ length: half }, (_, number) =>
      stage.app.sendTask('shared.work', { args: [number, path], queue }),
    ),
  )
  for (let kill = 1; kill <= kills; kill += 1) {
    await stage.lines(path, Math.floor((tasks * kill) / (kills + 2)))
    for (const language of killed) stage.touch(`${path}.kill-${language}`)
    if (kill < kills) {
      await Promise.all([...(killed.includes('py') ? [startPython()] : []), stage.nodeWorker(queue)])
    }
  }
  const results = [...fromLovage, ...(await fromPython).map((id) => stage.app.AsyncResult(id))]
  const values = await Promise.all(results.map((result) => result.get(60)))
  expect(values).toEqual(results.map((_, number) => number))
  const runs = await stage.lines(path, tasks)
  const languages = new Set(runs.map((line) => line.split(' ')[1]))
  expect(languages).toEqual(new Set(['node', 'py']))
  expect(new Set(runs.map((line) => line.split(' ')[0])).size).toBe(tasks)
  // Only what a killed worker had claimed may have run again: one task of Python, some of Node.
  expect(runs.length - tasks).toBeLessThanOrEqual(50 * kills)
}
