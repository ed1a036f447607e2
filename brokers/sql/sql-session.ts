import type { Knex } from 'knex'
import type { TableNames } from './table-names.js'

/** A value that can be bound or read. Integers are numbers: ids and epoch milliseconds fit. */
export type SqlValue = string | number | Uint8Array | null

/** A list that a statement looks for a column's value in; each driver has its own form for it. */
export type ValueList = readonly number[] | readonly string[]

/**
 * Values of a statement: in the order of its placeholders, or by the names that stand in it as `$name`. A statement may leave out
 * values that it has no use for.
 */
export type Parameters = readonly SqlValue[] | NamedValues

/** Values by name. */
export type NamedValues = Readonly<Record<string, SqlValue | ValueList>>

/** One row of a hot statement, its columns in the order of the statement. */
export type SqlRow = readonly SqlValue[]

/** One row of a query that knex built, by column name. */
export type NamedRow = Readonly<Record<string, unknown>>

/** Makes a query; the knex given has no connection of its own. */
export type QueryMaker = (knex: Knex, names: TableNames) => Knex.QueryBuilder

/**
 * Runs statements on one connection, inside of one transaction if it came from one.
 *
 * In a statement `{message}` and the like stand for the quoted names of {@link TableNames}.
 */
export interface SqlSession {
  /** Run a prepared statement and read every row. */
  all(sql: string, parameters?: Parameters): Promise<readonly SqlRow[]>
  /** Run a prepared statement; the number of rows changed. */
  run(sql: string, parameters?: Parameters): Promise<number>
  /** Run a query that knex builds, for everything that is not hot. */
  rows(make: QueryMaker): Promise<readonly NamedRow[]>
  /** Run an insert, update or delete that knex builds; the number of rows changed, 0 for an insert. */
  change(make: QueryMaker): Promise<number>
  /** The commit is to wake whoever waits, in any process. Nothing where the database is watched for commits. */
  announce(): void
}

/** How a transaction ends. */
export interface TransactionOptions {
  /**
   * Whether the commit waits for the disk. Without, it survives a killed process but not a power cut: enough for claims
   * and leases, which end with the machine anyway.
   *
   * @defaultValue `true`
   */
  readonly durable?: boolean
  /**
   * Whether it may take long, as a change of the schema does.
   *
   * @defaultValue `false`
   */
  readonly patient?: boolean
  /** Cancels it while it waits for its turn, and undoes it up to its commit. */
  readonly signal?: AbortSignal | undefined
}

/** One database as this process has it open. */
export interface SqlDatabase {
  /** Do `work` in one write transaction; nothing of it remains when it throws. */
  transaction<Result>(
    work: (session: SqlSession) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result>
  /** Do `work`, which only reads and may be done twice. */
  read<Result>(work: (session: SqlSession) => Promise<Result>): Promise<Result>
  /**
   * Do `work`, which is one statement and a transaction by itself. Absent where no dialect has one.
   *
   * @param work - Is also given the channel on which others are notified, if there is one.
   */
  atOnce?<Result>(
    work: (session: SqlSession, channel: string | undefined) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>
  /** Do `work` within a transaction of the application's, on its connection; absent where the database takes none. */
  within?<Result>(
    transaction: Knex.Transaction,
    work: (session: SqlSession) => Promise<Result>,
  ): Promise<Result>
  /** See that the database answers and takes writes, at one of its servers; absent for a file. */
  prove?(): Promise<void>
  /** The query builder, without a connection. Loaded at the first call. */
  knex(): Promise<Knex>
  /** Names of the tables. */
  readonly names: TableNames
  /** Whether it can serve a user who asks for this durability too. */
  agree(synchronous: string | undefined): boolean
  /** Whether the connection is lost for good; the next `connect` then opens another. */
  readonly broken: boolean
  close(): Promise<void>
}
