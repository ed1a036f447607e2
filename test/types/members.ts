/** What an app has for its users; `tsc` is the test. What only Lovage itself needs stands in `src/app/internals.ts`. */
import type { Lovage } from '../../src/index.js'

/** 25 at most; if you add one, document it and take another one away. */
type PublicMembers =
  | 'main'
  | 'conf'
  | 'tasks'
  | 'brokers'
  | 'backends'
  | 'beat'
  | 'task'
  | 'periodicTask'
  | 'Task'
  | 'onConfigure'
  | 'onAfterConfigure'
  | 'onAfterFinalize'
  | 'finalize'
  | 'addPeriodicTask'
  | 'genTaskName'
  | 'registerTask'
  | 'sendTask'
  | 'AsyncResult'
  | 'registerError'
  | 'configFromObject'
  | 'configFromEnvvar'
  | 'autodiscoverTasks'
  | 'workerMain'
  | 'close'
  | typeof Symbol.asyncDispose

/** Holds only for the very same members. */
type Same<Left, Right> = [Left, Right] extends [Right, Left] ? true : false

export const membersAreListed: Same<keyof Lovage, PublicMembers> = true
