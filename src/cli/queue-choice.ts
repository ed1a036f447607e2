import type { Lovage } from '../app/app.js'
import { suggest } from '../util/suggest.js'
import { UsageError } from './usage-error.js'
import { internalsOf } from '../util/internals.js'

/** `-Q` and `-X` as typed. */
export interface QueueFlags {
  readonly queues?: readonly string[]
  readonly excludeQueues?: readonly string[]
}

/**
 * The queues that `-Q` and `-X` leave: those of `-Q`, else all that the app is configured with.
 *
 * @throws UsageError for an excluded queue that is none of them.
 */
export function chosenQueues(app: Lovage, flags: QueueFlags): readonly string[] {
  const all =
    flags.queues ??
    internalsOf(app)
      .queues()
      .map((queue) => queue.name)
  const excluded = flags.excludeQueues ?? []
  const unknown = excluded.find((name) => !all.includes(name))
  if (unknown !== undefined) {
    const near = suggest(unknown, all)
    throw new UsageError(
      `-X names "${unknown}", which is none of the queues${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
  }
  return all.filter((name) => !excluded.includes(name))
}
