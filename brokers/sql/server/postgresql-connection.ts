import { Duplex } from 'node:stream'
import { isRecord } from '../../../src/util/record.js'
import { SqlFailure } from '../failure.js'
import { listText, withoutZero } from '../dialect/postgresql-array.js'
import { isList } from '../statement.js'
import type { SqlRow, SqlValue } from '../sql-session.js'
import type { Answer, SqlConnection, Statement } from './sql-connection.js'

/** A query as `pg` takes it. */
export interface PgQuery {
  readonly text: string
  readonly name?: string
  readonly values?: readonly unknown[]
  readonly rowMode?: 'array'
  readonly types?: { readonly getTypeParser: (oid: number) => (text: string) => SqlValue }
}

/** A client of `pg`, as far as it is used. */
export interface PgClient {
  query(query: PgQuery | string): Promise<unknown>
  on(event: string, listener: (value: unknown) => void): unknown
  end(): Promise<void>
}

/** The object as a client of `pg`. @throws {@link SqlFailure} when it is something else. */
export function pgClient(connection: object): PgClient {
  if (isPgClient(connection)) return connection
  throw new SqlFailure('refused', 'the connection is not one of the package "pg"')
}

function isPgClient(connection: object): connection is PgClient {
  return 'query' in connection && 'on' in connection
}

const OID = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, float8: 701, numeric: 1700 } as const

const text = (value: string): SqlValue => value
const parsers = new Map<number, (value: string) => SqlValue>([
  [OID.bool, (value) => (value === 't' ? 1 : 0)],
  [OID.bytea, (value) => Buffer.from(value.slice(2), 'hex')],
  [OID.int2, Number],
  [OID.int4, Number],
  [OID.int8, Number],
  [OID.float8, Number],
  [OID.numeric, Number],
])

// The application may have set parsers of its own for all of `pg`.
const types = { getTypeParser: (oid: number): ((value: string) => SqlValue) => parsers.get(oid) ?? text }

/** A connection of `pg`. */
export class PgLink implements SqlConnection {
  readonly #client: PgClient
  readonly #keepsSession: boolean
  #isDestroyed = false

  constructor(client: PgClient, keepsSession: boolean) {
    this.#client = client
    this.#keepsSession = keepsSession
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed
  }

  async query({ sql, name }: Statement, parameters: readonly unknown[]): Promise<Answer> {
    const values = parameters.map((value) => withoutZero(isList(value) ? listText(value) : value))
    return this.#ask({ text: sql, values, ...(this.#keepsSession && { name }) })
  }

  async once(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    return this.#ask({ text: sql, values: parameters.map(withoutZero) })
  }

  async exec(sql: string): Promise<void> {
    await this.#client.query(sql)
  }

  destroy(): void {
    this.#isDestroyed = true
    streamOf(this.#client)?.destroy()
  }

  async #ask(query: PgQuery): Promise<Answer> {
    const result = await this.#client.query({ ...query, rowMode: 'array', types })
    return answerOf(result)
  }
}

/** Cut a client, whatever it waits for; resolves when it has told its listeners. */
export async function cutClient(client: object): Promise<void> {
  const stream = streamOf(client)
  if (stream === undefined || stream.closed) return
  await new Promise((resolve) => stream.once('close', resolve).destroy())
}

function streamOf(client: object): Duplex | undefined {
  const connection: unknown = 'connection' in client ? client.connection : undefined
  const stream = isRecord(connection) ? connection['stream'] : undefined
  return stream instanceof Duplex ? stream : undefined
}

function answerOf(result: unknown): Answer {
  if (!isResult(result)) return { columns: [], rows: [], changed: 0 }
  const { fields, rows, rowCount } = result
  return { columns: fields.map(({ name }) => name), rows, changed: rowCount ?? 0 }
}

interface PgResult {
  readonly fields: readonly { readonly name: string }[]
  readonly rows: readonly SqlRow[]
  readonly rowCount: number | null
}

// Made by `pg` with the parsers above.
function isResult(result: unknown): result is PgResult {
  return isRecord(result) && Array.isArray(result['rows']) && Array.isArray(result['fields'])
}
