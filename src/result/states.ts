/** States after which nothing more happens to a task. */
export const READY_STATES: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'REVOKED'])

/** Celery's own states that a task can still leave; so can any state of a user's own. */
export const UNREADY_STATES: ReadonlySet<string> = new Set([
  'PENDING',
  'RECEIVED',
  'STARTED',
  'REJECTED',
  'RETRY',
])

/** States whose stored result describes an error. */
export const EXCEPTION_STATES: ReadonlySet<string> = new Set(['RETRY', 'FAILURE', 'REVOKED'])

/** States whose error `get` throws. */
export const PROPAGATE_STATES: ReadonlySet<string> = new Set(['FAILURE', 'REVOKED'])

/** The state of a task that the backend has no record of: still waiting, or never sent. */
export const PENDING = 'PENDING'

/** The state of a task that returned. */
export const SUCCESS = 'SUCCESS'

/** Furthest first; `undefined` stands for every state of a user's own. */
const PRECEDENCE: readonly (string | undefined)[] = [
  'SUCCESS',
  'FAILURE',
  undefined,
  'REVOKED',
  'STARTED',
  'RECEIVED',
  'REJECTED',
  'RETRY',
  'PENDING',
]

const OWN_STATE = PRECEDENCE.indexOf(undefined)

/**
 * Rank of a state: 0 for `SUCCESS`, growing towards `PENDING`; states of a user's own stand below `FAILURE`.
 *
 * @source Celery 5.7, `celery/states.py`, `precedence`.
 */
export function precedence(state: string): number {
  const rank = PRECEDENCE.indexOf(state)
  return rank === -1 ? OWN_STATE : rank
}

/** Whether a task in this state has ended; unknown states have not. */
export function isReady(state: string): boolean {
  return READY_STATES.has(state)
}
