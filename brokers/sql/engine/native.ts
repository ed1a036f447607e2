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

/** SQLite's primary result codes that are told apart. */
export const SQLITE: Readonly<
  Record<
    | 'busy'
    | 'locked'
    | 'readOnly'
    | 'ioError'
    | 'corrupt'
    | 'full'
    | 'cannotOpen'
    | 'notADatabase'
    | 'constraint'
    | 'protocol',
    number
  >
> = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  constraint: 19,
  notADatabase: 26,
}

const CODE_BY_NAME: Readonly<Record<string, number>> = {
  SQLITE_BUSY: SQLITE.busy,
  SQLITE_LOCKED: SQLITE.locked,
  SQLITE_READONLY: SQLITE.readOnly,
  SQLITE_IOERR: SQLITE.ioError,
  SQLITE_CORRUPT: SQLITE.corrupt,
  SQLITE_FULL: SQLITE.full,
  SQLITE_CANTOPEN: SQLITE.cannotOpen,
  SQLITE_PROTOCOL: SQLITE.protocol,
  SQLITE_CONSTRAINT: SQLITE.constraint,
  SQLITE_NOTADB: SQLITE.notADatabase,
}

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
    const name = /^SQLITE_[A-Z]+/.exec(code)?.[0]
    const known = name === undefined ? undefined : CODE_BY_NAME[name]
    if (known !== undefined) return known
  }
  return typeof rawCode === 'number' ? rawCode & 0xff : undefined
}
