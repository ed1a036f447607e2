import type { GroupStore, KeepOptions } from '../../src/backend/contract.js'
import type { RecordStore } from './records.js'

/** Keeps the members of groups. */
export class MemoryGroups implements GroupStore {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  async save(groupId: string, tuple: unknown, options: KeepOptions): Promise<void> {
    this.#records.groups.set(groupId, tuple, options.ttlMs)
  }

  async load(groupId: string): Promise<unknown> {
    return this.#records.groups.get(groupId)
  }

  async forget(groupId: string): Promise<void> {
    this.#records.groups.delete(groupId)
  }
}
