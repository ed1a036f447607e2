import type { SqlRow, SqlValue } from '../sql-session.js'
import { isRecord } from '../../../src/util/record.js'
import type { NativeConnection, NativeStatement, SqliteEngine } from './native.js'

interface Statement {
  all(...parameters: readonly SqlValue[]): readonly unknown[]
  run(...parameters: readonly SqlValue[]): {
    readonly changes: number | bigint
    readonly lastInsertRowid: number | bigint
  }
  setReturnArrays?(on: boolean): void
}

interface Database {
  prepare(sql: string): Statement
  exec(sql: string): void
  close(): void
}

type DatabaseClass = new (path: string) => Database

const GIVES_ROWS = /^\s*(select|pragma|with|explain|values)\b|\breturning\b/i

/** Node's own SQLite, from Node 22.13 on; `undefined` where this Node has none. */
export function loadNodeEngine(): SqliteEngine | undefined {
  const found = withoutExperimentalWarning(() => builtinModule('node:sqlite'))
  const exported = isRecord(found) ? found['DatabaseSync'] : undefined
  if (!isDatabaseClass(exported)) return undefined
  return { name: 'node:sqlite', open: (path) => connect(new exported(path)) }
}

function builtinModule(name: string): unknown {
  const host: { getBuiltinModule?: (id: string) => unknown } = process
  return host.getBuiltinModule?.(name)
}

// Node 22 and 24 warn at the first load; the choice of the engine is ours, so its user need not hear of it.
function withoutExperimentalWarning<Result>(load: () => Result): Result {
  const own = Object.getOwnPropertyDescriptor(process, 'emitWarning')
  if (own === undefined) return load()
  Object.defineProperty(process, 'emitWarning', { ...own, value: () => undefined })
  try {
    return load()
  } finally {
    Object.defineProperty(process, 'emitWarning', own)
  }
}

function isDatabaseClass(value: unknown): value is DatabaseClass {
  return typeof value === 'function'
}

function connect(database: Database): NativeConnection {
  return {
    prepare: (sql) => prepared(database.prepare(sql)),
    exec: (sql) => {
      database.exec(sql)
    },
    close: () => {
      database.close()
    },
    forKnex: { prepare: (sql: string) => forKnex(database.prepare(sql), GIVES_ROWS.test(sql)) },
  }
}

function prepared(statement: Statement): NativeStatement {
  const arrays = typeof statement.setReturnArrays === 'function'
  statement.setReturnArrays?.(true)
  return {
    all: (parameters) => statement.all(...parameters).map(arrays ? asRow : asRowOfObject),
    run: (parameters) => Number(statement.run(...parameters).changes),
  }
}

function asRow(row: unknown): SqlRow {
  return isRow(row) ? row : []
}

// With setReturnArrays(true) every row is an array.
function isRow(row: unknown): row is SqlRow {
  return Array.isArray(row)
}

function asRowOfObject(row: unknown): SqlRow {
  return isValues(row) ? Object.values(row) : []
}

function isValues(row: unknown): row is Readonly<Record<string, SqlValue>> {
  return isRecord(row)
}

interface KnexStatement {
  readonly reader: boolean
  all(parameters: readonly SqlValue[]): readonly unknown[]
  run(parameters: readonly SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number }
}

function forKnex(statement: Statement, reader: boolean): KnexStatement {
  return {
    reader,
    all: (parameters) => statement.all(...parameters),
    run: (parameters) => {
      const { changes, lastInsertRowid } = statement.run(...parameters)
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
    },
  }
}
