import { pools } from './registry.js'

/** The pool that a worker runs tasks on. */
export interface PoolChoice {
  readonly name: string
  /** How it differs from the one that was asked for; `undefined` when it is that one. */
  readonly warning: string | undefined
}

/** Pools of Celery whose configurations are to run here, although nothing provides them yet. */
const MISSING: ReadonlySet<string> = new Set(['threads', 'processes', 'prefork'])

/**
 * The pool of this name, or `async` where the name is one of Celery's pools that does not exist yet.
 *
 * @throws `ConfigError` for any other name.
 */
export function choosePool(asked: string): PoolChoice {
  if (MISSING.has(asked) && !pools.has(asked)) {
    const shown = asked === 'processes' ? '"processes" (prefork)' : `"${asked}"`
    const warning =
      `there is no pool ${shown} yet: tasks run on the event loop of this process (async), so a task that computes ` +
      'holds up the others, and no limit of time or memory can kill one'
    return { name: 'async', warning }
  }
  pools.check(asked)
  return { name: asked, warning: undefined }
}
