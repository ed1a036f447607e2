import type { ErrorRegistry } from '../message/error/error-registry.js'
import type { StateUpdate } from './context.js'
import type { TaskLogger } from './logger.js'

/** What a running task may reach outside of itself; a pool in another thread offers it by messages. */
export interface TaskPort {
  /** Called when the body first asks for its signal. */
  signal(): AbortSignal
  readonly logger: TaskLogger
  updateState(update: StateUpdate): Promise<void>
  /** How classes are written into results. */
  readonly errors: ErrorRegistry
}
