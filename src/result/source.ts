import type { ResultBackend, TaskRecord } from '../backend/contract.js'
import type { Clock } from '../util/clock.js'

/** What a result handle needs of its app. */
export interface ResultSource {
  /**
   * The connected backend.
   *
   * @throws `ConfigError` that names the setting `backend` and a fitting value, when results are off.
   */
  resultBackend(): Promise<ResultBackend>
  /** Build the error that a FAILURE, RETRY or REVOKED record describes. */
  toError(record: TaskRecord): Error
  readonly clock: Clock
}
