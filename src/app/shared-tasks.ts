import type { TaskDefinition } from '../task/definition.js'

type Listener = (definition: TaskDefinition) => void

const shared: TaskDefinition[] = []
const listeners = new Set<WeakRef<{ readonly listener: Listener }>>()

/** Add a task to every app there is and will be. */
export function shareTask(definition: TaskDefinition): void {
  shared.push(definition)
  for (const reference of listeners) {
    const holder = reference.deref()
    if (holder === undefined) listeners.delete(reference)
    else holder.listener(definition)
  }
}

/** Tell an app of every shared task, now and later, for as long as `holder` lives. */
export function joinSharedTasks(holder: { readonly listener: Listener }): void {
  for (const definition of shared) holder.listener(definition)
  listeners.add(new WeakRef(holder))
}
