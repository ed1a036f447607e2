import { AssertionError } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'

import type { Lovage } from '../app/app.js'
import type { AnyTask } from '../task/task.js'
import { toMs, type DurationInput } from '../util/duration.js'
import { recorderOf, type EnqueuedTask } from './task-recorder.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { internalsOf } from '../util/internals.js'

/** Which calls are meant; what is left out does not count. */
export interface EnqueuedQuery {
  /** Equal to these, in depth. */
  readonly args?: readonly unknown[]
  /** Equal to these, in depth. */
  readonly kwargs?: Readonly<Record<string, unknown>>
  readonly queue?: string
  readonly priority?: number
  /** Due at this moment, give or take a second. */
  readonly eta?: Date
}

/** {@link EnqueuedQuery}, and how many are expected. */
export interface EnqueuedExpectation extends EnqueuedQuery {
  /** Exactly so many; at least one when left out. */
  readonly count?: number
  /**
   * Wait this long for the call to be sent.
   *
   * @defaultValue 0
   */
  readonly timeout?: DurationInput
}

const QUERY = {
  args: true,
  kwargs: true,
  queue: true,
  priority: true,
  eta: true,
} satisfies KnownMembers<EnqueuedQuery>

/** Calls that this app has sent and that nothing in this process has started. */
export function allEnqueued(
  app: Lovage,
  task?: AnyTask | string,
  query: EnqueuedQuery = {},
): readonly EnqueuedTask[] {
  refuseUnknown(query, QUERY, 'a query of enqueued calls')
  const name = typeof task === 'string' ? task : task?.name
  const { enqueued } = recorderOf(app)
  return enqueued.filter((entry) => (name === undefined || entry.task === name) && matches(entry, query))
}

/**
 * Check that a task was sent.
 *
 * @throws AssertionError that shows what was sent instead.
 */
export async function assertEnqueued(
  app: Lovage,
  task: AnyTask | string,
  expectation: EnqueuedExpectation = {},
): Promise<void> {
  const { count, timeout = 0, ...query } = expectation
  const isMet = (): boolean => {
    const found = allEnqueued(app, task, query).length
    return count === undefined ? found > 0 : found === count
  }
  if (isMet()) return
  if (await becomes(app, isMet, toMs(timeout, 'timeout'))) return
  const wanted = count === undefined ? 'at least one call' : `${count} ${count === 1 ? 'call' : 'calls'}`
  throw mismatch(app, `expected ${wanted} of ${nameOf(task)}`, query)
}

/**
 * Check that a task was not sent.
 *
 * @throws AssertionError that shows what was sent.
 */
export function refuteEnqueued(app: Lovage, task: AnyTask | string, query: EnqueuedQuery = {}): void {
  if (allEnqueued(app, task, query).length === 0) return
  throw mismatch(app, `expected no call of ${nameOf(task)}`, query)
}

function matches(entry: EnqueuedTask, { args, kwargs, queue, priority, eta }: EnqueuedQuery): boolean {
  return (
    (args === undefined || isDeepStrictEqual(entry.args, args)) &&
    (kwargs === undefined || isDeepStrictEqual(entry.kwargs, kwargs)) &&
    (queue === undefined || entry.queue === queue) &&
    (priority === undefined || entry.priority === priority) &&
    (eta === undefined || isNear(entry.eta, eta))
  )
}

const ETA_TOLERANCE_MS = 1_000

function isNear(found: Date | undefined, wanted: Date): boolean {
  return found !== undefined && Math.abs(found.getTime() - wanted.getTime()) <= ETA_TOLERANCE_MS
}

/** Whether a condition on what was sent holds before `withinMs` have passed. */
async function becomes(app: Lovage, condition: () => boolean, withinMs: number): Promise<boolean> {
  if (withinMs <= 0) return false
  return new Promise((resolve) => {
    const end = (met: boolean): void => {
      stopListening()
      cancelTimer()
      resolve(met)
    }
    const stopListening = recorderOf(app).listen(() => {
      if (condition()) end(true)
    })
    const cancelTimer = internalsOf(app).clock.setTimer(withinMs, () => end(false))
  })
}

function nameOf(task: AnyTask | string): string {
  return typeof task === 'string' ? task : task.name
}

function mismatch(app: Lovage, message: string, query: EnqueuedQuery): AssertionError {
  const asked = Object.keys(query).length === 0 ? '' : ` with ${inspect(query, { breakLength: Infinity })}`
  const waiting = allEnqueued(app).map(printed)
  const list = waiting.length === 0 ? '  nothing' : waiting.join('\n')
  return new AssertionError({
    message: `${message}${asked}; enqueued are:\n${list}`,
    actual: allEnqueued(app),
    expected: query,
  })
}

function printed({ task, args, kwargs, queue, priority, eta }: EnqueuedTask): string {
  const facts = { args, kwargs, queue, priority, eta }
  return `  ${task} ${inspect(facts, { breakLength: Infinity })}`
}
