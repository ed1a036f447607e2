import type { GroupStore, KeepOptions, ResultCodec } from '../../src/backend/contract.js'
import { asBackend } from '../../src/broker/store-failure.js'
import type { SqlStore } from '../../brokers/sql/store.js'
import { bytesOf, dateText, decodeBytes } from './records.js'

/** Saved groups in Celery's `celery_tasksetmeta`: the result tuple in the result serializer. */
export class SqlGroups implements GroupStore {
  readonly #connected: () => Promise<SqlStore>
  readonly #codec: ResultCodec

  constructor(connected: () => Promise<SqlStore>, codec: ResultCodec) {
    this.#connected = connected
    this.#codec = codec
  }

  async save(groupId: string, tuple: unknown, { ttlMs }: KeepOptions): Promise<void> {
    const result = bytesOf(this.#codec.encode(tuple))
    await this.#use(({ database, dialect }) =>
      database.transaction(async (session) => {
        const nowMs = await dialect.now(session)
        const row = {
          taskset_id: groupId,
          result,
          date_done: dateText(nowMs),
          lovage_expires_ms: ttlMs > 0 ? nowMs + Math.round(ttlMs) : null,
        }
        await session.change((knex, names) =>
          knex(names.tasksetmeta)
            .insert(row)
            .onConflict('taskset_id')
            .merge(['result', 'date_done', 'lovage_expires_ms']),
        )
      }),
    )
  }

  async load(groupId: string): Promise<unknown> {
    const [row] = await this.#use(({ database, dialect }) =>
      database.read(async (session) => {
        const nowMs = await dialect.now(session)
        return session.rows((knex, names) =>
          knex(names.tasksetmeta)
            .select('result')
            .where({ taskset_id: groupId })
            .whereRaw('(lovage_expires_ms IS NULL OR lovage_expires_ms > ?)', [nowMs]),
        )
      }),
    )
    const value = row?.['result']
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) return undefined
    return decodeBytes(value, this.#codec, `group ${groupId}`)
  }

  async forget(groupId: string): Promise<void> {
    await this.#use(({ database }) =>
      database.transaction((session) =>
        session.change((knex, names) => knex(names.tasksetmeta).where({ taskset_id: groupId }).delete()),
      ),
    )
  }

  #use<Result>(work: (store: SqlStore) => Promise<Result>): Promise<Result> {
    return asBackend(async () => work(await this.#connected()))
  }
}
