import type { QueueSpec } from '../../broker/contract.js'
import { ConfigError } from '../../errors/errors.js'
import type { WorkerOptions } from '../worker-options.js'

/** The part of an app that knows queues. */
export interface QueueSource {
  queues(): readonly QueueSpec[]
  queueSpec(name: string): QueueSpec
}

/**
 * The queues a worker consumes: those named (`-Q`), else all that are configured, without those left out (`-X`).
 *
 * @throws `QueueNotFoundError` for a name that is not configured when missing queues are not created.
 * @throws {@link ConfigError} when nothing is left.
 */
export function chooseQueues(source: QueueSource, options: WorkerOptions): readonly QueueSpec[] {
  const named = options.queues ?? []
  const candidates =
    named.length === 0 ? source.queues() : [...new Set(named)].map((name) => source.queueSpec(name))
  const excluded = new Set(options.excludeQueues ?? [])
  const chosen = candidates.filter((queue) => !excluded.has(queue.name))
  if (chosen.length === 0) throw new ConfigError('no queue is left to consume: all are excluded')
  return chosen
}
