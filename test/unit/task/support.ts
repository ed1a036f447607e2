import { defineTask, dottedName, type AnyBody, type DefineOptions } from '../../../src/app/define.js'
import { eagerPort, localRequest } from '../../../src/app/eager.js'
import { ErrorRegistry } from '../../../src/message/error/error-registry.js'
import type { TaskDefinition } from '../../../src/task/definition.js'
import { executeTask } from '../../../src/task/execute.js'
import { silentLogger } from '../../../src/task/logger.js'
import type { Outcome } from '../../../src/task/outcome.js'
import type { TaskRequest } from '../../../src/task/request.js'

/** A definition of an app called `tests`. */
export function definitionOf(options: DefineOptions, body: AnyBody): TaskDefinition {
  return defineTask({ main: 'tests', genTaskName: dottedName }, { name: 'tests.body', ...options }, body)
}

/** A request as a message brings it. */
export function requestWith(fields: Partial<TaskRequest> = {}): TaskRequest {
  return { ...localRequest('tests.body', [], 'id-1'), calledDirectly: false, ...fields }
}

/** Run a body as a task. */
export function execute(
  options: DefineOptions,
  body: AnyBody,
  fields: Partial<TaskRequest> = {},
): Promise<Outcome> {
  const port = eagerPort({ errors: new ErrorRegistry(), logger: silentLogger })
  return executeTask(definitionOf(options, body), requestWith(fields), port)
}
