import { randomUUID } from 'node:crypto'
import type { TaskRecord } from '../../src/backend/contract.js'
import type { Clock } from '../../src/util/clock.js'
import { ExpiringMap } from '../../src/util/expiring-map.js'

/** What has arrived of one chord's header. */
export interface ChordParts {
  readonly ttlMs: number
  readonly parts: Map<string, { readonly record: TaskRecord; readonly index: number }>
}

/** Results, groups and chords of one store of this process. Shared by every backend that names the store. */
export class RecordStore {
  /** Names the store to its broker and its backends. */
  readonly id: string = randomUUID()
  /** Celery's result tuples by group id. */
  readonly groups: ExpiringMap<unknown>
  /** Chords by id. */
  readonly chords: ExpiringMap<ChordParts>
  readonly #records: ExpiringMap<TaskRecord>
  readonly #watchers = new Map<string, Set<() => void>>()

  constructor(clock: Clock) {
    this.groups = new ExpiringMap(clock)
    this.chords = new ExpiringMap(clock)
    this.#records = new ExpiringMap(clock)
  }

  /** Keep a record for `ttlMs` (0: until forgotten), unless the task has its SUCCESS, and tell those who watch. */
  put(record: TaskRecord, ttlMs: number): void {
    if (this.#records.get(record.taskId)?.state === 'SUCCESS') return
    this.#records.set(record.taskId, record, ttlMs)
    const watchers = this.#watchers.get(record.taskId)
    if (watchers === undefined) return
    // Not from within the step that stores: a watcher may load.
    for (const changed of watchers) queueMicrotask(changed)
  }

  /** A record by task id. */
  get(taskId: string): TaskRecord | undefined {
    return this.#records.get(taskId)
  }

  /** Remove a record. */
  delete(taskId: string): void {
    this.#records.delete(taskId)
  }

  /** Drop everything that has expired; returns how many entries that were. */
  sweep(): number {
    return this.#records.sweep() + this.groups.sweep() + this.chords.sweep()
  }

  /** Call `changed` after each change of one of these tasks; the function that is returned ends that. */
  watch(taskIds: readonly string[], changed: () => void): () => void {
    // One function may watch one task twice; each watch is told apart by a function of its own.
    const told = (): void => {
      changed()
    }
    for (const id of taskIds) {
      const watchers = this.#watchers.get(id)
      if (watchers === undefined) this.#watchers.set(id, new Set([told]))
      else watchers.add(told)
    }
    return () => {
      for (const id of taskIds) {
        const watchers = this.#watchers.get(id)
        watchers?.delete(told)
        if (watchers?.size === 0) this.#watchers.delete(id)
      }
    }
  }
}
