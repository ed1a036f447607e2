import type { SqlFailure } from '../failure.js'
import type { SqlRow, TransactionOptions } from '../sql-session.js'
import type { CompiledStatement, Notation } from '../statement.js'

/** A hot statement. */
export interface Statement extends CompiledStatement {
  /** Under which a connection keeps it prepared; the same for one text everywhere. */
  readonly name: string
}

/** What a statement gave. */
export interface Answer {
  readonly columns: readonly string[]
  readonly rows: readonly SqlRow[]
  readonly changed: number
}

/** One connection of a driver package. */
export interface SqlConnection {
  /** Run a statement, kept prepared where the connection keeps anything. */
  query(statement: Statement, parameters: readonly unknown[]): Promise<Answer>
  /** Run a statement once, without preparing it. */
  once(sql: string, parameters: readonly unknown[]): Promise<Answer>
  /** Run a text without parameters; where the server takes them it may hold several statements. */
  exec(sql: string): Promise<void>
  /** Cut the connection, whatever it waits for. */
  destroy(): void
  /** Whether it was cut. */
  readonly isDestroyed: boolean
}

/** What an error of a driver package means. */
export interface ConnectionFault {
  readonly kind: SqlFailure['kind']
  /** Nothing of the transaction remains, and the same again may succeed at once: a deadlock, a serialization failure. */
  readonly again: boolean
  /** Another server of the same database may do what this one cannot: it is gone, or only reads. */
  readonly isElsewhere?: boolean
}

/** What one kind of server does in its own way, below its dialect. */
export interface ServerAdapter extends Notation {
  /** A connection of the pool, as a link. */
  connection(connection: object, keepsSession: boolean): SqlConnection
  /** Cut a connection of a pool; resolves when the pool can see it. */
  cut(connection: object): Promise<void>
  /** The texts that begin a transaction. @param isTuned - Whether the connection has run {@link tuning}. */
  begin(options: TransactionOptions, isTuned: boolean): readonly string[]
  /** Set-up commands of a connection of our own, run once before its first statement. */
  readonly tuning: readonly string[]
  /** The text that ends one; `channel` is told when somebody is to be woken. */
  commit(channel: string | undefined): string
  /** The text that wakes whoever listens on a channel, once the transaction it is part of is committed. */
  tell(channel: string): string | undefined
  /** The statement that gives 1 where writes are taken; a server that another took over from, or will, gives 0. */
  readonly writable: string | undefined
  /** The meaning of an error; `undefined` for one that has nothing to do with the server. */
  faultOf(error: unknown): ConnectionFault | undefined
}
