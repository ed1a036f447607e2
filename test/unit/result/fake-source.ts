import type { RecordWatch, ResultBackend, TaskRecord } from '../../../src/backend/contract.js'
import { TaskFailedError, TaskRevokedError } from '../../../src/errors/errors.js'
import type { ResultSource } from '../../../src/result/source.js'
import { systemClock, type Clock } from '../../../src/util/clock.js'

/** A record with what a test does not care about filled in. */
export function recordOf(taskId: string, state: string, rest: Partial<TaskRecord> = {}): TaskRecord {
  return { taskId, state, result: undefined, children: [], ...rest }
}

/** A backend that keeps records in a map and counts what is asked of it. */
export class FakeBackend implements ResultBackend {
  readonly name: string = 'fake'
  readonly shared: boolean = false
  readonly records: Map<string, TaskRecord> = new Map<string, TaskRecord>()
  readonly #listeners = new Set<() => void>()
  /** Calls of `load`. */
  loads = 0

  /** Watches that are open now. */
  get watches(): number {
    return this.#listeners.size
  }

  async connect(): Promise<void> {}

  async store(records: readonly TaskRecord[]): Promise<void> {
    for (const record of records) this.records.set(record.taskId, record)
    for (const listener of [...this.#listeners]) listener()
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    this.loads += 1
    const found = taskIds.map((id) => this.records.get(id)).filter((record) => record !== undefined)
    return new Map(found.map((record) => [record.taskId, record]))
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    for (const id of taskIds) this.records.delete(id)
  }

  async watch(_taskIds: readonly string[], changed: () => void): Promise<RecordWatch> {
    const listener = (): void => changed()
    this.#listeners.add(listener)
    return {
      close: async () => {
        this.#listeners.delete(listener)
      },
    }
  }

  async close(): Promise<void> {}
}

/** A result source over one backend. */
export function sourceOf(backend: ResultBackend, clock: Clock = systemClock): ResultSource {
  return { clock, resultBackend: async () => backend, toError }
}

function toError(record: TaskRecord): Error {
  if (record.state === 'REVOKED') return new TaskRevokedError(String(record.result))
  const remote = {
    type: 'ValueError',
    module: 'builtins',
    args: [record.result],
    traceback: record.traceback,
  }
  return new TaskFailedError(String(record.result), record.taskId, remote)
}
