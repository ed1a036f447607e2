import { ConfigError } from '../../../src/errors/errors.js'
import type { SqlRow, SqlValue } from '../sql-session.js'
import { isRecord } from '../../../src/util/record.js'
import type { EngineName, NativeConnection, NativeStatement, SqliteEngine } from './native.js'

interface Statement {
  readonly reader: boolean
  columns?(): readonly { readonly name: string }[]
  raw(on: boolean): unknown
  all(parameters: readonly SqlValue[]): readonly unknown[]
  run(parameters: readonly SqlValue[]): { readonly changes: number }
}

/** An open database of such a package. */
export interface PackageDatabase {
  prepare(sql: string): Statement
  exec(sql: string): unknown
  close(): unknown
}

type DatabaseClass = new (path: string) => PackageDatabase

/**
 * A package with the interface of better-sqlite3: that one, and libsql.
 *
 * @throws The import's own error when the package is not installed.
 */
export async function loadPackageEngine(name: Exclude<EngineName, 'node:sqlite'>): Promise<SqliteEngine> {
  // A specifier in a variable keeps the optional package out of the types.
  const specifier: string = name
  const loaded: unknown = await import(specifier)
  const exported = isRecord(loaded) ? (loaded['default'] ?? loaded['Database']) : undefined
  if (!isDatabaseClass(exported))
    throw new ConfigError(`the package "${name}" has no database class as its default export`)
  // The native part is loaded by the first database only, so this finds out whether it is there.
  new exported(':memory:').close()
  return { name, open: (path) => connectPackage(new exported(path)) }
}

function isDatabaseClass(value: unknown): value is DatabaseClass {
  return typeof value === 'function'
}

/** Whether an object is such a database. */
export function isPackageDatabase(database: object): database is PackageDatabase {
  return 'prepare' in database && 'exec' in database && 'close' in database
}

/** An open database as a connection. */
export function connectPackage(database: PackageDatabase): NativeConnection {
  return {
    prepare: (sql) => prepared(database.prepare(sql)),
    exec: (sql) => void database.exec(sql),
    close: () => void database.close(),
    forKnex: { prepare: (sql: string) => forKnex(database.prepare(sql)) },
  }
}

function prepared(statement: Statement): NativeStatement {
  if (statement.reader) {
    statement.raw(true)
    return {
      columns: () => (statement.columns?.() ?? []).map(({ name }) => name),
      all: (parameters) => rowsOf(statement.all(parameters)),
      run: (parameters) => statement.all(parameters).length,
    }
  }
  return {
    all: (parameters) => {
      statement.run(parameters)
      return []
    },
    run: (parameters) => statement.run(parameters).changes,
  }
}

function rowsOf(rows: readonly unknown[]): readonly SqlRow[] {
  return areRows(rows) ? rows : []
}

// With raw(true) every row is an array.
function areRows(rows: readonly unknown[]): rows is readonly SqlRow[] {
  return rows.length === 0 || Array.isArray(rows[0])
}

interface KnexStatement {
  readonly reader: boolean
  all(parameters: readonly SqlValue[]): readonly unknown[]
  run(parameters: readonly SqlValue[]): unknown
}

function forKnex(statement: Statement): KnexStatement {
  return {
    reader: statement.reader,
    all: (parameters) => statement.all(parameters).map(withBytes),
    run: (parameters) => statement.run(parameters),
  }
}

/** libsql gives an ArrayBuffer for a BLOB in a row that is an object. */
function withBytes(row: unknown): unknown {
  if (!isRecord(row)) return row
  const entries = Object.entries(row).map(([column, value]) => [
    column,
    value instanceof ArrayBuffer ? new Uint8Array(value) : value,
  ])
  return Object.fromEntries(entries)
}
