import { TaskError } from '../errors/errors.js'
import type { TaskDefinition } from '../task/definition.js'

/** The tasks of an app by name. */
export class TaskRegistry extends Map<string, TaskDefinition> {
  /**
   * Add a task.
   *
   * The same function from the same place may come again (a module loaded twice); the newer one is kept.
   *
   * @throws {@link TaskError} when another function has the name; the message has both places.
   */
  add(definition: TaskDefinition): void {
    const present = this.get(definition.name)
    if (present !== undefined && !isSame(present, definition) && definition.options.replace !== true) {
      throw new TaskError(
        `two tasks are named "${definition.name}": at ${present.place} and at ${definition.place}; give one another name, or replace: true`,
      )
    }
    this.set(definition.name, definition)
  }
}

function isSame(one: TaskDefinition, other: TaskDefinition): boolean {
  return one.source === other.source || one.place === other.place
}
