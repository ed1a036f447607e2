import { isRecord } from '../../../src/util/record.js'
import { toError } from '../../../src/util/to-error.js'
import { SqlFailure } from '../failure.js'
import type { SqlRow } from '../sql-session.js'
import type { Answer, SqlConnection, Statement } from './sql-connection.js'

/** A query as `mysql2` takes it. */
export interface MysqlQuery {
  readonly sql: string
  readonly rowsAsArray: true
  readonly typeCast: (field: MysqlField, next: () => unknown) => unknown
}

interface MysqlField {
  readonly type: string
  string(): string | null
  buffer(): Uint8Array | null
}

/** A connection of `mysql2`, with callbacks, as far as it is used. */
export interface MysqlConnection {
  query(query: MysqlQuery, done: (error: unknown, result: unknown, fields: unknown) => void): unknown
  destroy(): void
}

/** The object as a connection of `mysql2`. @throws {@link SqlFailure} when it is something else. */
export function mysqlConnection(connection: object): MysqlConnection {
  if (isConnection(connection)) return connection
  throw new SqlFailure('refused', 'the connection is not one of the package "mysql2"')
}

function isConnection(connection: object): connection is MysqlConnection {
  return 'query' in connection && 'destroy' in connection
}

/** Statements up to this many characters are not checked. */
const SHORT = 200_000
/** What a packet has before its statement, in bytes, and a little more. */
const HEADER = 16
/** What the server of a connection takes, in bytes. */
const packetLimits = new WeakMap<object, number>()

const NUMBERS: ReadonlySet<string> = new Set([
  ...['TINY', 'SHORT', 'INT24', 'LONG', 'LONGLONG', 'FLOAT', 'DOUBLE', 'DECIMAL', 'NEWDECIMAL', 'YEAR'],
])
const BLOBS: ReadonlySet<string> = new Set(['TINY_BLOB', 'MEDIUM_BLOB', 'LONG_BLOB', 'BLOB'])

// The application may have set a cast of its own for the whole connection.
function typeCast(field: MysqlField, next: () => unknown): unknown {
  if (NUMBERS.has(field.type)) {
    const text = field.string()
    return text === null ? null : Number(text)
  }
  // Texts come as blobs of a character set, which `next` knows.
  return BLOBS.has(field.type) ? next() : field.string()
}

/** A connection of `mysql2`. Values are written into the text of a statement by {@link withLiterals}; nothing is prepared. */
export class MysqlLink implements SqlConnection {
  readonly #connection: MysqlConnection
  #isDestroyed = false

  constructor(connection: MysqlConnection) {
    this.#connection = connection
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed
  }

  async query({ sql }: Statement, parameters: readonly unknown[]): Promise<Answer> {
    return this.#ask(sql, parameters)
  }

  async once(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    return this.#ask(sql, parameters)
  }

  async exec(sql: string): Promise<void> {
    await this.#ask(sql, [])
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#connection.destroy()
  }

  async #ask(template: string, parameters: readonly unknown[]): Promise<Answer> {
    const sql = withLiterals(template, parameters)
    if (sql.length > SHORT) await this.#checkLength(sql)
    return this.#send(sql)
  }

  /** The server cuts the connection on a longer one, which looks as if it was away. @throws {@link SqlFailure} for it. */
  async #checkLength(sql: string): Promise<void> {
    const known = packetLimits.get(this.#connection)
    const limit = known ?? Number((await this.#send('SELECT @@max_allowed_packet')).rows[0]?.[0])
    packetLimits.set(this.#connection, limit)
    const bytes = Buffer.byteLength(sql) + HEADER
    if (bytes <= limit) return
    const message = `a statement of ${bytes} bytes is longer than the server's max_allowed_packet of ${limit}`
    throw new SqlFailure('refused', message)
  }

  #send(sql: string): Promise<Answer> {
    const query = { sql, rowsAsArray: true, typeCast } as const
    return new Promise((resolve, reject) => {
      this.#connection.query(query, (error, result, fields) => {
        if (error === null || error === undefined) resolve(answerOf(result, fields))
        else reject(toError(error))
      })
    })
  }
}

function answerOf(result: unknown, fields: unknown): Answer {
  if (isRows(result)) return { columns: columnsOf(fields), rows: result, changed: 0 }
  const changed = isRecord(result) ? result['affectedRows'] : 0
  return { columns: [], rows: [], changed: typeof changed === 'number' ? changed : 0 }
}

// Made by `mysql2` with the cast above.
function isRows(result: unknown): result is readonly SqlRow[] {
  return Array.isArray(result)
}

function columnsOf(fields: unknown): readonly string[] {
  if (!Array.isArray(fields)) return []
  const list: readonly unknown[] = fields
  return list.map((field) => (isRecord(field) ? String(field['name']) : ''))
}

/**
 * A value as a literal that means the same under every `sql_mode`.
 *
 * Under `NO_BACKSLASH_ESCAPES` a backslash stands for itself, otherwise it escapes the next character: a text that has one
 * is written in hexadecimal.
 */
function mysqlLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  // Nothing is equal to NULL, so nothing is in a list of it.
  if (Array.isArray(value)) return value.length === 0 ? 'NULL' : value.map(mysqlLiteral).join(', ')
  if (value instanceof Uint8Array) return `X'${hex(value)}'`
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.includes('\\') || text.includes('\0')
    ? `_utf8mb4 X'${hex(Buffer.from(text))}'`
    : `'${text.replaceAll("'", "''")}'`
}

/** A statement with a literal for each of its question marks. */
function withLiterals(sql: string, values: readonly unknown[]): string {
  if (values.length === 0) return sql
  let next = 0
  return sql.replaceAll('?', () => mysqlLiteral(values[next++]))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
