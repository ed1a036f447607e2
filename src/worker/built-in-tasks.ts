import type { ResultBackend } from '../backend/contract.js'
import type { TaskDefinition, TaskLookup } from '../task/definition.js'

/**
 * The tasks of an app, and those that every worker serves: `celery.backend_cleanup`, which the beat of a Celery cluster sends once
 * a day, deletes expired results where the store does not do so by itself.
 *
 * @source Celery 5.7, `celery/app/builtins.py`, `add_backend_cleanup_task`.
 */
export function withBuiltInTasks(tasks: TaskLookup, backend: ResultBackend | undefined): TaskLookup {
  const cleanup = async (): Promise<void> => {
    await backend?.cleanup?.()
  }
  const definition: TaskDefinition = {
    name: 'celery.backend_cleanup',
    options: {},
    arity: { least: 0, most: 0 },
    body: cleanup,
    source: cleanup,
    place: 'lovage',
  }
  const builtIn: TaskLookup = new Map([[definition.name, definition]])
  return { get: (name) => tasks.get(name) ?? builtIn.get(name) }
}
