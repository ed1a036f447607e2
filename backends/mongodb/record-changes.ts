import type { ChangeStream, Collection, Document } from 'mongodb'
import { isRecord } from '../../src/util/record.js'
import type { RecordWatch } from '../../src/backend/contract.js'

/** Until a stream that was just opened hears everything, watchers are told to look themselves, in milliseconds. */
const OPENING_MS = 600
const OPENING_LOOK_MS = 30

/** Tells watchers that records were stored, by one change stream that is open while somebody watches. */
export class RecordChanges {
  readonly #records: Collection
  readonly #watchers = new Map<string, Set<() => void>>()
  #stream: ChangeStream | undefined

  constructor(records: Collection) {
    this.#records = records
  }

  /** Call `changed` after a record of these ids was stored. */
  async watch(ids: readonly string[], changed: () => void): Promise<RecordWatch> {
    // Two watches may be given the same function.
    const told = (): void => {
      changed()
    }
    for (const id of ids) this.#watchers.set(id, (this.#watchers.get(id) ?? new Set()).add(told))
    this.#open()
    const opening = setInterval(told, OPENING_LOOK_MS)
    const opened = setTimeout(() => {
      clearInterval(opening)
    }, OPENING_MS)
    const stop = (): void => {
      clearInterval(opening)
      clearTimeout(opened)
      for (const id of ids) {
        const watchers = this.#watchers.get(id)
        watchers?.delete(told)
        if (watchers?.size === 0) this.#watchers.delete(id)
      }
    }
    await Promise.resolve()
    return {
      close: async () => {
        stop()
        if (this.#watchers.size === 0) await this.#end()
      },
    }
  }

  async close(): Promise<void> {
    this.#watchers.clear()
    await this.#end()
  }

  #open(): void {
    if (this.#stream !== undefined) return
    const stream = this.#records.watch(
      [
        { $match: { operationType: { $in: ['insert', 'replace', 'update'] } } },
        { $project: { _id: 1, operationType: 1, documentKey: 1, 'fullDocument._id': 1 } },
      ],
      { maxAwaitTimeMS: 1_000 },
    )
    this.#stream = stream
    stream.on('change', (change: Document) => {
      const key: unknown =
        change['operationType'] === 'insert' ? change['fullDocument'] : change['documentKey']
      const id = isRecord(key) ? key['_id'] : undefined
      if (typeof id === 'string') this.#tell(this.#watchers.get(id))
      else this.#tellAll()
    })
    stream.on('error', () => {
      if (this.#stream !== stream) return
      void this.#end()
      this.#tellAll()
      if (this.#watchers.size > 0) setTimeout(() => this.#watchers.size > 0 && this.#open(), 1_000).unref()
    })
  }

  #tellAll(): void {
    for (const watchers of this.#watchers.values()) this.#tell(watchers)
  }

  #tell(watchers: ReadonlySet<() => void> | undefined): void {
    for (const watcher of [...(watchers ?? [])]) watcher()
  }

  async #end(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    await stream?.close().catch(() => undefined)
  }
}
