import { createDefinePeriodic, type DefinePeriodicTask } from './define-periodic.js'
import { makeCallable } from './callable.js'
import { Lovage } from './app.js'
import { defineTask, dottedName } from './define.js'
import { createDefineTask, type DefineTask } from './definer.js'
import type { SettingsSource } from './settings-sources.js'
import { shareTask } from './shared-tasks.js'
import { internalsOf } from '../util/internals.js'

/** First part of automatic names of tasks that no app of the user's made. */
const DEFAULT_MAIN = 'tasks'

let defaultApp: Lovage | undefined

/** The app that module-level `task` and `sharedTask` work with: the one that was set, else one made on first use. */
export function currentApp(): Lovage {
  defaultApp ??= new Lovage(DEFAULT_MAIN)
  return defaultApp
}

/** Make this the default app; tasks that were defined on an earlier default stay there. */
export function setDefaultApp(app: Lovage): void {
  defaultApp = app
}

/** Define a task on the default app, in every form that `app.task` has. */
export const task: DefineTask = createDefineTask((options, body, method) =>
  internalsOf(currentApp()).define(options, body, method),
)

/** Define a periodic task on the default app, in every form that `app.periodicTask` has. */
export const periodicTask: DefinePeriodicTask = createDefinePeriodic(
  (options, body, method) => internalsOf(currentApp()).define(options, body, method),
  () => internalsOf(currentApp()).periodic,
)

/**
 * Define a task that joins every app of the process, present and future: for libraries that do not know their app.
 * With `shared: false` it joins the default app alone. Calls go through the default app.
 *
 * @source Celery 5.7, `celery/app/__init__.py`, `shared_task`.
 */
export const sharedTask: DefineTask = createDefineTask((options, body, method) => {
  if (options.shared === false) return internalsOf(currentApp()).define(options, body, method)
  const definition = defineTask({ main: DEFAULT_MAIN, genTaskName: dottedName }, options, body, method)
  shareTask(definition)
  return makeCallable(definition, () => internalsOf(currentApp()))
})

/**
 * Load a host's settings into the default app: an object, an ini file (`./development.ini`) or a settings module.
 * One call in a web process gives it the settings that the worker has.
 *
 * @returns The default app.
 * @throws `ConfigError` for a source that does not exist, or settings that do not fit.
 */
export async function setupLoader(source: SettingsSource): Promise<Lovage> {
  const app = currentApp()
  await app.configFromObject(source)
  return app
}
