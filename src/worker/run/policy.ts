import type { TaskMessage } from '../../message/task-message.js'
import type { TaskDefinition } from '../../task/definition.js'
import { hasHandlers } from '../../task/execute.js'
import { toMs, type DurationInput } from '../../util/duration.js'
import type { WorkerSettings } from '../settings.js'

/** What a task and the settings say together, worked out once for each task. */
export interface TaskPolicy {
  readonly acksLate: boolean
  readonly acksOnFailure: boolean
  readonly acksOnTimeout: boolean
  /** What a message overrides by `ignore_result`. */
  readonly ignoreResult: boolean
  readonly storeErrorsEvenIfIgnored: boolean
  readonly trackStarted: boolean
  readonly softLimitMs: number | undefined
  readonly hardLimitMs: number | undefined
  /** Whether something is called after the result was stored. */
  readonly hasHandlers: boolean
}

/** The limits of one run. */
export interface Limits {
  readonly softLimitMs: number | undefined
  readonly hardLimitMs: number | undefined
}

/** Policies by definition. */
export class Policies {
  readonly #settings: WorkerSettings
  readonly #known = new WeakMap<TaskDefinition, TaskPolicy>()

  constructor(settings: WorkerSettings) {
    this.#settings = settings
  }

  /** The policy of a task. */
  of(definition: TaskDefinition): TaskPolicy {
    const known = this.#known.get(definition)
    if (known !== undefined) return known
    const made = toPolicy(definition, this.#settings)
    this.#known.set(definition, made)
    return made
  }
}

function toPolicy(definition: TaskDefinition, settings: WorkerSettings): TaskPolicy {
  const { options } = definition
  return {
    acksLate: options.acksLate ?? settings.taskAcksLate,
    acksOnFailure: options.acksOnFailure ?? settings.taskAcksOnFailure,
    acksOnTimeout: options.acksOnTimeout ?? settings.taskAcksOnTimeout,
    ignoreResult: options.ignoreResult ?? settings.taskIgnoreResult,
    storeErrorsEvenIfIgnored: options.storeErrorsEvenIfIgnored ?? settings.taskStoreErrorsEvenIfIgnored,
    trackStarted: options.trackStarted ?? settings.taskTrackStarted,
    softLimitMs: limitMs(msOf(options.softTimeLimit, 'softTimeLimit')) ?? settings.taskSoftTimeLimitMs,
    hardLimitMs: limitMs(msOf(options.timeLimit, 'timeLimit')) ?? settings.taskTimeLimitMs,
    hasHandlers: hasHandlers(definition),
  }
}

/** The limits of one message: its own win over the task's. A soft limit that the hard one precedes is left out. */
export function limitsOf(message: TaskMessage, policy: TaskPolicy): Limits {
  if (message.timeLimitMs === undefined && message.softTimeLimitMs === undefined) return policy
  const hardLimitMs = limitMs(message.timeLimitMs) ?? policy.hardLimitMs
  const softLimitMs = limitMs(message.softTimeLimitMs) ?? policy.softLimitMs
  const pointless = softLimitMs !== undefined && hardLimitMs !== undefined && softLimitMs >= hardLimitMs
  return { softLimitMs: pointless ? undefined : softLimitMs, hardLimitMs }
}

function msOf(input: DurationInput | undefined, name: string): number | undefined {
  return input === undefined ? undefined : toMs(input, name)
}

/** A limit of nothing is none, as in Celery: no task could run under it. */
function limitMs(ms: number | undefined): number | undefined {
  return ms !== undefined && ms > 0 && ms !== Number.POSITIVE_INFINITY ? ms : undefined
}
