import type { Config } from '../config/config.js'
import { TaskError } from '../errors/errors.js'
import type { TaskDefinition } from '../task/definition.js'
import { givenTaskOptions, TASK_OPTIONS } from '../task/known-options.js'
import type { TaskOptions } from '../task/options.js'
import { refuseUnknown } from '../util/known-members.js'
import { checkOptions } from './define.js'

/** What makes a task the one that it is. */
const {
  name: _name,
  params: _params,
  args: _args,
  result: _result,
  shared: _shared,
  replace: _replace,
  ...ANNOTATED
} = TASK_OPTIONS

/**
 * A task whose options are those of its definition as `taskAnnotations` changes them. The settings are read with the options,
 * since a task is often defined before they are known.
 *
 * @source Celery 5.7, `celery/app/task.py`, `Task.annotate`, and `celery/app/annotations.py`.
 */
export function annotated(definition: TaskDefinition, config: () => Config): TaskDefinition {
  let options: TaskOptions = definition.options
  let known: Config | undefined
  return {
    ...definition,
    get options(): TaskOptions {
      const present = config()
      if (present === known) return options
      const { taskAnnotations } = present
      options =
        taskAnnotations === undefined ? definition.options : annotatedOptions(definition, taskAnnotations)
      known = present
      return options
    },
  }
}

function annotatedOptions(
  { name, options }: TaskDefinition,
  annotations: NonNullable<Config['taskAnnotations']>,
): TaskOptions {
  const under = (key: string): object => annotations.find((one) => Object.hasOwn(one, key))?.[key] ?? {}
  const changed = { ...under(name), ...under('*') }
  refuseUnknown(changed, ANNOTATED, `${name} in taskAnnotations`, TaskError)
  const all = givenTaskOptions({ ...options, ...changed })
  checkOptions(name, all)
  return all
}
