import type { StateUpdate } from '../../task/context.js'
import type { WorkerHost } from '../host.js'
import type { Records } from '../settle/records.js'
import type { Job } from '../pool/pool.js'
import { Run } from './run.js'

/** Stores the states that a task has before it ends, unless its results are ignored. */
export class InterimStates {
  readonly #host: WorkerHost
  readonly #records: Records

  constructor(host: WorkerHost, records: Records) {
    this.#host = host
    this.#records = records
  }

  /** Store STARTED. Never rejects: the task runs all the same. */
  async started(run: Run): Promise<void> {
    if (isIgnored(run)) return
    const { record, recordTtlMs } = this.#records.started(run.task)
    try {
      await this.#host.backend?.store([record], { ttlMs: recordTtlMs })
    } catch (error) {
      this.#host.logger.warn(
        { err: error, task: run.request.task, id: run.request.id },
        'STARTED could not be stored',
      )
    }
  }

  /** Store a state of the user's own, while the body runs under its claim. */
  async update(job: Job, { state, meta }: StateUpdate): Promise<void> {
    if (!(job instanceof Run) || !job.isRunning || isIgnored(job)) return
    const { record, recordTtlMs } = this.#records.state(job.task, state, meta)
    await this.#host.backend?.store([record], { ttlMs: recordTtlMs })
  }
}

function isIgnored({ task, policy }: Run): boolean {
  return task.ignoreResult ?? policy.ignoreResult
}
