import type { RecordWatch, TaskRecord } from '../../src/backend/contract.js'
import type { Clock } from '../../src/util/clock.js'
import { ExpiringMap } from '../../src/util/expiring-map.js'

/** Results that came to this process, and who waits for them. */
export class Mailbox {
  readonly #records: ExpiringMap<TaskRecord>
  readonly #watchers = new Map<string, Set<() => void>>()

  constructor(clock: Clock) {
    this.#records = new ExpiringMap(clock)
  }

  /** A result came. It never replaces the success of its task. */
  put(record: TaskRecord, ttlMs: number): void {
    const { taskId } = record
    if (this.#records.get(taskId)?.state !== 'SUCCESS') this.#records.set(taskId, record, ttlMs)
    for (const changed of [...(this.#watchers.get(taskId) ?? [])]) changed()
  }

  /** What came for these tasks. */
  find(taskIds: readonly string[]): ReadonlyMap<string, TaskRecord> {
    const found = new Map<string, TaskRecord>()
    for (const id of taskIds) {
      const record = this.#records.get(id)
      if (record !== undefined) found.set(id, record)
    }
    return found
  }

  /** Drop what came for these tasks. */
  forget(taskIds: readonly string[]): void {
    for (const id of taskIds) this.#records.delete(id)
  }

  /** Call `changed` when something comes for one of these tasks. */
  watch(taskIds: readonly string[], changed: () => void): RecordWatch {
    // Two watches with one function are two.
    const told = (): void => changed()
    for (const id of taskIds) {
      const watchers = this.#watchers.get(id) ?? new Set()
      this.#watchers.set(id, watchers.add(told))
    }
    return {
      close: () => {
        for (const id of taskIds) this.#leave(id, told)
        return Promise.resolve()
      },
    }
  }

  #leave(id: string, told: () => void): void {
    const watchers = this.#watchers.get(id)
    watchers?.delete(told)
    if (watchers?.size === 0) this.#watchers.delete(id)
  }
}
