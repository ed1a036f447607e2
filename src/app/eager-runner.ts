import type { ResultBackend } from '../backend/contract.js'
import type { Config } from '../config/config.js'
import type { Codecs } from '../message/codecs.js'
import type { ErrorRegistry } from '../message/error/error-registry.js'
import { createResultCodec } from '../message/result-codec.js'
import type { EagerResult } from '../result/eager-result.js'
import type { TaskContext } from '../task/context.js'
import type { TaskDefinition } from '../task/definition.js'
import { guardLogger, type TaskLogger } from '../task/logger.js'
import { RunningTask } from '../task/running-task.js'
import type { TaskCall } from '../task/sender.js'
import type { EagerOptions } from '../task/task.js'
import { callEagerly, eagerPort, localRequest, runEagerly, type EagerParts } from './eager.js'

/** What running tasks in this process needs of their app. */
export interface EagerHost {
  readonly tasks: ReadonlyMap<string, TaskDefinition>
  readonly codecs: Codecs
  readonly errors: ErrorRegistry
  readonly logger: TaskLogger
  config(): Config
  prepareCodecs(): Promise<void>
  optionalBackend(): Promise<ResultBackend | undefined>
}

/** Runs tasks of an app in the process of the caller. */
export class EagerRunner {
  readonly #app: EagerHost

  constructor(app: EagerHost) {
    this.#app = app
  }

  /** Run a call that would otherwise be sent. @throws what sending it would throw. */
  async call(definition: TaskDefinition, call: TaskCall): Promise<EagerResult> {
    return callEagerly(await this.#parts(), definition, call)
  }

  /** `apply` of a task. */
  async apply(
    definition: TaskDefinition,
    args: readonly unknown[],
    options: EagerOptions,
  ): Promise<EagerResult> {
    return runEagerly(await this.#parts(), definition, args, options)
  }

  /** The context of a task that is called as a function. */
  directContext(definition: TaskDefinition, args: readonly unknown[]): TaskContext {
    return new RunningTask(definition.name, localRequest(definition.name, args, ''), eagerPort(this.#app))
  }

  async #parts(): Promise<EagerParts> {
    await this.#app.prepareCodecs()
    const config = this.#app.config()
    const { tasks, codecs, errors, logger } = this.#app
    return {
      tasks,
      codecs,
      errors,
      logger: guardLogger(logger),
      config,
      results: createResultCodec(config.resultSerializer, codecs),
      store: async (record) => {
        const backend = await this.#app.optionalBackend()
        await backend?.store([record], { ttlMs: this.#app.config().resultExpiresMs })
      },
    }
  }
}
