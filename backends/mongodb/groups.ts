import type { Collection } from 'mongodb'
import type { GroupStore, KeepOptions } from '../../src/backend/contract.js'
import { asBackend } from '../../brokers/mongodb/failure.js'
import type { ServerClock } from '../../brokers/mongodb/server-clock.js'
import { readStored, toStored } from './document.js'
import type { StoredForm } from './document.js'

/** A document of `celery_groupmeta`. Celery keeps the ids of the members; Lovage keeps the whole tuple beside them. */
export interface GroupDocument {
  readonly _id: string
  readonly result: unknown
  readonly date_done: Date
  readonly tuple?: unknown
  readonly expire_at?: Date
}

/** What {@link MongoGroups} works with. */
export interface GroupParts {
  readonly groups: Collection<GroupDocument>
  readonly clock: ServerClock
  readonly form: StoredForm
}

/** Saved groups, in Celery's form. @source Celery 5.7, `celery/backends/mongodb.py`, `MongoBackend._save_group`. */
export class MongoGroups implements GroupStore {
  readonly #parts: () => GroupParts

  constructor(parts: () => GroupParts) {
    this.#parts = parts
  }

  async save(groupId: string, tuple: unknown, { ttlMs }: KeepOptions): Promise<void> {
    const { groups, clock, form } = this.#parts()
    const { codec, compress } = form
    await asBackend(async () => {
      const nowMs = await clock.now()
      await groups.replaceOne(
        { _id: groupId },
        {
          result: toStored(codec.encode(memberIds(tuple)).data, compress),
          date_done: new Date(nowMs),
          tuple: toStored(codec.encode(tuple).data, compress),
          ...(ttlMs > 0 && { expire_at: new Date(nowMs + ttlMs) }),
        },
        { upsert: true },
      )
    })
  }

  async load(groupId: string): Promise<unknown> {
    const { groups, form } = this.#parts()
    const { codec } = form
    const found = await asBackend(() => groups.findOne({ _id: groupId, ...unexpired }))
    if (found === null) return undefined
    if (found.tuple !== undefined) return readStored(found.tuple, codec)
    const ids: unknown = readStored(found.result, codec)
    return Array.isArray(ids) ? [[groupId, null], ids.map((id: unknown) => [[id, null], null])] : undefined
  }

  async forget(groupId: string): Promise<void> {
    const { groups } = this.#parts()
    await asBackend(() => groups.deleteOne({ _id: groupId }))
  }
}

/** Filter of what has not expired, by the server's clock. */
export const unexpired: Readonly<Record<'$or', Record<string, unknown>[]>> = {
  $or: [{ expire_at: { $exists: false } }, { $expr: { $gt: ['$expire_at', '$$NOW'] } }],
}

/** Filter of what has expired. */
export const expired: Readonly<Record<string, unknown>> = {
  expire_at: { $exists: true },
  $expr: { $lte: ['$expire_at', '$$NOW'] },
}

/** Ids of the members of `[[groupId, parent], [[[id, parent], children], …]]`. */
function memberIds(tuple: unknown): readonly unknown[] {
  const members: unknown = Array.isArray(tuple) ? tuple[1] : undefined
  if (!Array.isArray(members)) return []
  return members.map((member: unknown) => {
    const own = firstOf(member)
    return firstOf(own)
  })
}

function firstOf(value: unknown): unknown {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  return items[0]
}
