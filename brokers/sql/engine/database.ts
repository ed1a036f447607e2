import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { LovageError } from '../../../src/errors/errors.js'
import { DamagedFile, NotBegun, SqlFailure } from '../failure.js'
import type {
  NamedRow,
  Parameters,
  QueryMaker,
  SqlSession,
  SqlDatabase,
  SqlRow,
  SqlValue,
  TransactionOptions,
} from '../sql-session.js'
import { compiled, inOrder, isList } from '../statement.js'
import type { CompiledStatement } from '../statement.js'
import type { TableNames } from '../table-names.js'
import { Mutex } from '../mutex.js'
import { isRecord } from '../../../src/util/record.js'
import { SQLITE, sqliteCode } from './native.js'
import type { NativeConnection, NativeStatement, SqliteEngine } from './native.js'

/** How a SQLite file is opened. */
export interface SqliteFileOptions {
  readonly path: string
  /** `PRAGMA synchronous` of commits that wait for the disk; `FULL` when undefined. */
  readonly synchronous: string | undefined
  /** How long a statement may wait for another process's lock before it fails, in milliseconds. */
  readonly lockWaitMs: number
  readonly names: TableNames
}

// Waiting inside of SQLite stops the event loop, so the wait is short there and goes on outside.
const BLOCKING_WAIT_MS = 10

// A file that was deleted can be written to for ever without anybody reading it.
const CHECK_FILE_EVERY_MS = 200

const BUSY: ReadonlySet<number | undefined> = new Set([SQLITE.BUSY, SQLITE.LOCKED, SQLITE.PROTOCOL])
const BROKEN: ReadonlySet<number | undefined> = new Set([
  SQLITE.READONLY,
  SQLITE.IOERR,
  SQLITE.CORRUPT,
  SQLITE.CANTOPEN,
  SQLITE.NOTADB,
])
const DAMAGED: ReadonlySet<number | undefined> = new Set([SQLITE.CORRUPT, SQLITE.NOTADB])
const UNAVAILABLE: ReadonlySet<number | undefined> = new Set([
  SQLITE.BUSY,
  SQLITE.LOCKED,
  SQLITE.PROTOCOL,
  SQLITE.IOERR,
  SQLITE.FULL,
  SQLITE.CANTOPEN,
])

interface Prepared {
  readonly native: NativeStatement
  readonly text: CompiledStatement
}

/** Values as SQLite takes them: a list is one JSON text. */
function bound(text: CompiledStatement, parameters: Parameters): readonly SqlValue[] {
  return inOrder(text, parameters).map((value) => (isList(value) ? JSON.stringify(value) : value))
}

/**
 * A SQLite file on one connection.
 *
 * All work of the process goes through the one connection in turn: a second one would only wait for the first, and
 * that wait would stop the event loop.
 */
export class SqliteFile implements SqlDatabase {
  readonly names: TableNames
  readonly #native: NativeConnection
  readonly #options: SqliteFileOptions
  readonly #mutex = new Mutex()
  readonly #statements = new Map<string, Prepared>()
  readonly #session: SqlSession
  #knex: Promise<Knex> | undefined
  #asked: string | undefined
  #synchronous: string | undefined
  #broken = false
  #closed = false
  #fileId: number | undefined
  #moved = false
  #checkFileAtMs = 0

  private constructor(native: NativeConnection, options: SqliteFileOptions) {
    this.#native = native
    this.#options = options
    this.names = options.names
    this.#asked = options.synchronous
    this.#session = this.#makeSession()
  }

  /** Open the file, making it if need be, in write-ahead mode. */
  static async open(engine: SqliteEngine, options: SqliteFileOptions): Promise<SqliteFile> {
    const native = openNative(engine, options.path)
    const file = new SqliteFile(native, options)
    try {
      native.exec(`PRAGMA busy_timeout = ${BLOCKING_WAIT_MS}`)
      await file.#untilFree(() => {
        // Two processes that open a new file at once both switch it; the one that comes second has to wait.
        if (native.prepare('PRAGMA journal_mode').all([])[0]?.[0] !== 'wal') {
          expectWal(native.prepare('PRAGMA journal_mode = WAL').all([])[0]?.[0], options.path)
        }
      })
      file.#waitForDisk(true)
      // Rows live shortly: the later pages go from the log to the file, the more of them are gone by then.
      native.exec('PRAGMA wal_autocheckpoint = 4000')
      // Reading makes the write-ahead file, which is watched for the commits of others.
      await file.#untilFree(() => native.prepare('SELECT count(*) FROM sqlite_master').all([]))
      file.#fileId = fileId(options.path)
    } catch (error) {
      native.close()
      throw file.#translated(error)
    }
    return file
  }

  get broken(): boolean {
    return this.#broken || this.#moved || this.#closed
  }

  /** Take over what a second user of the file asks for; `false` when the first one asked for something else. */
  agree(synchronous: string | undefined): boolean {
    this.#asked ??= synchronous
    return synchronous === undefined || synchronous === this.#asked
  }

  async transaction<Result>(
    work: (session: SqlSession) => Promise<Result>,
    { durable = true, signal }: TransactionOptions = {},
  ): Promise<Result> {
    return this.#mutex.run(async () => {
      this.#assertOpen()
      try {
        this.#waitForDisk(durable)
        await this.#untilFree(() => this.#statement('BEGIN IMMEDIATE').native.run([]), signal)
        const result = await work(this.#session)
        if (signal?.aborted === true) throw new NotBegun()
        this.#statement('COMMIT').native.run([])
        return result
      } catch (error) {
        this.#rollBack()
        throw this.#translated(error)
      }
    }, signal)
  }

  async read<Result>(work: (session: SqlSession) => Promise<Result>): Promise<Result> {
    return this.#mutex.run(async () => {
      this.#assertOpen()
      try {
        return await this.#untilFree(() => work(this.#session))
      } catch (error) {
        throw this.#translated(error)
      }
    })
  }

  async knex(): Promise<Knex> {
    this.#knex ??= import('knex').then(({ default: knex }) =>
      knex({ client: 'better-sqlite3', useNullAsDefault: true }),
    )
    return this.#knex
  }

  async close(): Promise<void> {
    await this.#mutex.run(async () => {
      if (this.#closed) return
      this.#closed = true
      this.#statements.clear()
      this.#native.close()
      await Promise.resolve()
    })
  }

  #makeSession(): SqlSession {
    return {
      all: async (sql: string, parameters: Parameters = []): Promise<readonly SqlRow[]> => {
        const { native, text } = this.#statement(sql)
        return Promise.resolve(native.all(bound(text, parameters)))
      },
      run: async (sql: string, parameters: Parameters = []): Promise<number> => {
        const { native, text } = this.#statement(sql)
        return Promise.resolve(native.run(bound(text, parameters)))
      },
      rows: async (make: QueryMaker): Promise<readonly NamedRow[]> => {
        const result: unknown = await this.#build(make)
        return Array.isArray(result) ? result.filter(isRecord) : []
      },
      change: async (make: QueryMaker): Promise<number> => {
        const result: unknown = await this.#build(make)
        return typeof result === 'number' ? result : 0
      },
      // The file is watched for commits.
      announce: () => undefined,
    }
  }

  async #build(make: QueryMaker): Promise<unknown> {
    const knex = await this.knex()
    const result: unknown = await make(knex, this.names).connection(this.#native.forKnex)
    return result
  }

  #statement(sql: string): Prepared {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const text = compiled(sql, this.names, { quote: '"', isNumbered: false })
    const prepared = { native: this.#native.prepare(text.sql), text }
    this.#statements.set(sql, prepared)
    return prepared
  }

  /** Whether the next commit waits for the disk, as far as the user's setting asks for it at all. */
  #waitForDisk(durable: boolean): void {
    const synchronous = this.#asked ?? 'FULL'
    const wanted = durable || synchronous === 'OFF' ? synchronous : 'NORMAL'
    if (wanted === this.#synchronous) return
    // SQLite acts on this pragma when it is prepared, so it cannot be kept as a statement.
    this.#native.exec(`PRAGMA synchronous = ${wanted}`)
    this.#synchronous = wanted
  }

  /** Try again while another process has the lock, until the deadline. */
  async #untilFree<Result>(attempt: () => Result | Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const deadline = performance.now() + this.#options.lockWaitMs
    for (;;) {
      if (signal?.aborted === true) throw new NotBegun()
      try {
        return await attempt()
      } catch (error) {
        if (!BUSY.has(sqliteCode(error)) || performance.now() >= deadline) throw error
      }
      await sleep(1 + Math.random() * 10, undefined, { signal }).catch(() => undefined)
    }
  }

  #rollBack(): void {
    try {
      this.#statement('ROLLBACK').native.run([])
    } catch {
      // SQLite ends the transaction by itself on some errors, a full disk among them.
    }
  }

  #assertOpen(): void {
    const { path } = this.#options
    if (this.#closed) throw new SqlFailure('unavailable', `the SQLite file ${path} is closed`)
    if (performance.now() >= this.#checkFileAtMs) {
      this.#checkFileAtMs = performance.now() + CHECK_FILE_EVERY_MS
      this.#moved ||= fileId(path) !== this.#fileId
    }
    if (!this.#moved) return
    throw new SqlFailure('unavailable', `the SQLite file ${path} was deleted or replaced`)
  }

  #translated(error: unknown): unknown {
    if (error instanceof LovageError) return error
    const code = sqliteCode(error)
    if (code === undefined) return error
    if (BROKEN.has(code)) this.#broken = true
    const { path } = this.#options
    const message = `SQLite file ${path}: ${reason(error, code)}`
    if (DAMAGED.has(code)) return new DamagedFile(path, message, error)
    return new SqlFailure(UNAVAILABLE.has(code) ? 'unavailable' : 'refused', message, error)
  }
}

/** The inode; `undefined` when there is no file, as for a database in memory. */
function fileId(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

/** SQLite does not fail where it cannot switch, as on a file system without shared memory: it says what the mode is. */
function expectWal(mode: SqlValue | undefined, path: string): void {
  if (mode === 'wal' || mode === 'memory') return
  throw new SqlFailure('refused', `the SQLite file ${path} cannot be in write-ahead mode here`)
}

function openNative(engine: SqliteEngine, path: string): NativeConnection {
  try {
    return engine.open(path)
  } catch (error) {
    const why = existsSync(dirname(path)) ? reason(error, undefined) : 'its folder does not exist'
    throw new SqlFailure('unavailable', `cannot open the SQLite file ${path}: ${why}`, error)
  }
}

function reason(error: unknown, code: number | undefined): string {
  if (code === SQLITE.FULL) return 'the disk is full'
  if (code === SQLITE.BUSY || code === SQLITE.LOCKED) return 'another process keeps the lock'
  return error instanceof Error ? error.message : String(error)
}
