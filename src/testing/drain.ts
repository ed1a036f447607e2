import { setTimeout } from 'node:timers/promises'

import type { Lovage } from '../app/app.js'
import { TaskError } from '../errors/errors.js'
import { ManualClock } from './manual-clock.js'
import { startWorker } from './start-worker.js'
import { recordTasks, type TaskPassage, type TaskRecorder } from './task-recorder.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { internalsOf } from '../util/internals.js'

/** What to run. */
export interface DrainOptions {
  /**
   * Names of the queues.
   *
   * @defaultValue those that a worker of the app consumes, and those that the app has sent to
   */
  readonly queues?: readonly string[]
  /** Run what is delayed too, retries included: the app's {@link ManualClock} is moved to each due moment. */
  readonly withScheduled?: boolean
  /** Stop after so many runs. */
  readonly limit?: number
}

const DRAIN_OPTIONS = { queues: true, withScheduled: true, limit: true } satisfies KnownMembers<DrainOptions>

/** How many runs ended how. */
export interface DrainCounts {
  readonly success: number
  readonly failure: number
  readonly retry: number
  /** Ended by `Ignore`. */
  readonly ignored: number
  /** Ended by `Reject`. */
  readonly rejected: number
}

/**
 * Run what waits now, and what that sends in turn, until nothing is left; retries wait unless `withScheduled` is given.
 *
 * @throws {@link TaskError} for `withScheduled` on a clock that cannot be moved.
 */
export async function drain(app: Lovage, options: DrainOptions = {}): Promise<DrainCounts> {
  refuseUnknown(options, DRAIN_OPTIONS, 'drain')
  const clock = options.withScheduled === true ? movableClock(app) : undefined
  const recorder = recordTasks(app)
  const queues = options.queues ?? [
    ...new Set([
      ...internalsOf(app)
        .queues()
        .map(({ name }) => name),
      ...recorder.queues,
    ]),
  ]
  const ends: TaskPassage[] = []
  const run: DrainRun = { app, queues, recorder, ends, limit: options.limit ?? Infinity }
  const stopListening = recorder.listen((passage) => {
    if (isEnd(passage)) ends.push(passage)
  })
  try {
    await runReady(run)
    for (let dueMs = nextDue(run, clock); dueMs !== undefined; dueMs = nextDue(run, clock)) {
      await clock?.advanceTo(dueMs)
      await runReady(run)
    }
  } finally {
    stopListening()
  }
  return counted(ends)
}

interface DrainRun {
  readonly app: Lovage
  readonly queues: readonly string[]
  readonly recorder: TaskRecorder
  /** Grows while tasks run. */
  readonly ends: readonly TaskPassage[]
  readonly limit: number
}

const POLL_MS = 2

/** A worker's end shows what is really left: what it had claimed and not started is back in its queue by then. */
async function runReady(run: DrainRun): Promise<void> {
  while (run.ends.length < run.limit && (await depth(run)) > 0) {
    const bounded = run.limit === Infinity ? {} : { concurrency: 1, prefetchMultiplier: 1 }
    const worker = await startWorker(run.app, { queues: run.queues, ...bounded })
    const full = stopAtLimit(run, () => void worker.stop())
    try {
      while (run.ends.length < run.limit && (await depth(run)) > 0) await setTimeout(POLL_MS)
    } finally {
      full()
      await worker.stop()
    }
  }
}

/** Stop claiming when the last run that is wanted begins: with one slot and nothing read ahead, none follows. */
function stopAtLimit(run: DrainRun, stop: () => void): () => void {
  let starts = run.ends.length
  return run.recorder.listen(({ state }) => {
    if (state !== 'STARTED') return
    starts += 1
    if (starts >= run.limit) stop()
  })
}

async function depth({ app, queues }: DrainRun): Promise<number> {
  const broker = await internalsOf(app).broker()
  const depths = await Promise.all(
    queues.map(async (name) => {
      await broker.declare(internalsOf(app).queueSpec(name))
      return broker.depth(name)
    }),
  )
  return depths.reduce((sum, one) => sum + one, 0)
}

function nextDue(run: DrainRun, clock: ManualClock | undefined): number | undefined {
  return clock === undefined || run.ends.length >= run.limit ? undefined : run.recorder.nextDueMs()
}

function movableClock(app: Lovage): ManualClock {
  const { clock } = internalsOf(app)
  if (clock instanceof ManualClock) return clock
  throw new TaskError(
    'withScheduled needs an app with a ManualClock: new TestApp({}, { clock: new ManualClock() })',
  )
}

function isEnd({ state }: TaskPassage): boolean {
  return state !== 'SENT' && state !== 'STARTED'
}

function counted(ends: readonly TaskPassage[]): DrainCounts {
  const count = (wanted: string): number => ends.filter(({ state }) => state === wanted).length
  return {
    success: count('SUCCESS'),
    failure: count('FAILURE'),
    retry: count('RETRY'),
    ignored: count('IGNORED'),
    rejected: count('REJECTED'),
  }
}
