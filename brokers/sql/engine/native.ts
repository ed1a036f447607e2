import type { SqlRow, SqlValue } from '../sql-session.js'
import { isRecord } from '../../../src/util/record.js'

/** A prepared statement. */
export interface NativeStatement {
  /** Run it and read every row. */
  all(parameters: readonly SqlValue[]): readonly SqlRow[]
  /** Run it; the number of rows that it changed. */
  run(parameters: readonly SqlValue[]): number
  /** Names of the columns; only where the statement gives rows and the engine is asked for them. */
  readonly columns?: () => readonly string[]
}

/** An open SQLite file. Every call is synchronous. */
export interface NativeConnection {
  prepare(sql: string): NativeStatement
  /** Run statements that give no rows. */
  exec(sql: string): void
  close(): void
  /** The same connection with the interface of better-sqlite3, which is what knex works on. */
  readonly forKnex: object
}

/** A way to open SQLite files. */
export interface SqliteEngine {
  readonly name: EngineName
  open(path: string): NativeConnection
}

/** The engines known, as `?engine=` names them. */
export type EngineName = 'node:sqlite' | 'better-sqlite3' | 'libsql'

/** SQLite's primary result codes that are distinguished, by the names that follow `SQLITE_`. */
export const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  CONSTRAINT: 19,
  NOTADB: 26,
} as const

const CODES: ReadonlyMap<string, number> = new Map(Object.entries(SQLITE))

/**
 * SQLite's primary result code in an error of any engine; `undefined` for an error that is not SQLite's.
 *
 * node:sqlite has the number in `errcode`; the others have the name in `code`, extended as `SQLITE_BUSY_SNAPSHOT`.
 */
export function sqliteCode(error: unknown): number | undefined {
  if (!isRecord(error)) return undefined
  const { errcode, rawCode, code } = error
  if (typeof errcode === 'number') return errcode & 0xff
  if (typeof code === 'string') {
    const known = CODES.get(/^SQLITE_([A-Z]+)/.exec(code)?.[1] ?? '')
    if (known !== undefined) return known
  }
  return typeof rawCode === 'number' ? rawCode & 0xff : undefined
}
