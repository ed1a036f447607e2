import { SQLITE, sqliteCode } from '../engine/native.js'
import { connectPackage, isPackageDatabase } from '../engine/better-sqlite3.js'
import type { NativeConnection, NativeStatement } from '../engine/native.js'
import { SqlFailure } from '../failure.js'
import type { SqlValue } from '../sql-session.js'
import { AGAIN, REFUSED, UNAVAILABLE } from './faults.js'
import type { Answer, SqlConnection, ServerAdapter, Statement } from './sql-connection.js'

const AGAIN_CODES: ReadonlySet<number> = new Set([SQLITE.BUSY, SQLITE.LOCKED])

/** SQLite on a connection of the application's knex. */
export const sqliteServer: ServerAdapter = {
  quote: '"',
  isNumbered: false,
  connection: (connection) => new SqliteLink(connection),
  // A connection to a file has nothing that could be cut.
  cut: async () => Promise.resolve(),
  begin: () => ['BEGIN IMMEDIATE'],
  tuning: [],
  commit: () => 'COMMIT',
  tell: () => undefined,
  writable: undefined,
  faultOf: (error) => {
    const code = sqliteCode(error)
    if (code === undefined) return undefined
    if (AGAIN_CODES.has(code)) return AGAIN
    return code === SQLITE.FULL || code === SQLITE.IOERR ? UNAVAILABLE : REFUSED
  },
}

class SqliteLink implements SqlConnection {
  readonly isDestroyed = false
  readonly #native: NativeConnection

  constructor(connection: object) {
    if (!isPackageDatabase(connection)) {
      throw new SqlFailure('refused', 'the connection is not one of better-sqlite3')
    }
    this.#native = connectPackage(connection)
  }

  async query({ sql }: Statement, parameters: readonly unknown[]): Promise<Answer> {
    return Promise.resolve(this.#ask(sql, parameters))
  }

  async once(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    return Promise.resolve(this.#ask(sql, parameters))
  }

  async exec(sql: string): Promise<void> {
    this.#native.exec(sql)
    await Promise.resolve()
  }

  destroy(): void {
    // Calls are synchronous, so none is waited for.
  }

  #ask(sql: string, parameters: readonly unknown[]): Answer {
    const statement = this.#native.prepare(sql)
    const values = parameters.map(bindable)
    if (!returnsRows(statement)) return { columns: [], rows: [], changed: statement.run(values) }
    const rows = statement.all(values)
    return { columns: statement.columns?.() ?? [], rows, changed: rows.length }
  }
}

function returnsRows(statement: NativeStatement): boolean {
  return statement.columns !== undefined
}

function bindable(value: unknown): SqlValue {
  if (typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array) return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === null || value === undefined) return null
  return JSON.stringify(value)
}
