import type { NamedRow, Parameters, QueryMaker, SqlSession, SqlRow } from '../sql-session.js'
import { inOrder } from '../statement.js'
import type { Answer, SqlConnection } from './sql-connection.js'
import type { PreparedStatementCache } from './prepared-statement-cache.js'

/** What a session needs of its database. */
export interface SessionParts {
  readonly link: SqlConnection
  readonly statements: PreparedStatementCache
  /** Waits for an answer, no longer than the database's limit. */
  readonly limited: (link: SqlConnection, work: Promise<Answer>) => Promise<Answer>
}

/** Statements on one connection of a server. */
export class ServerSession implements SqlSession {
  readonly #parts: SessionParts
  #isAnnounced = false

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Whether the commit is to wake whoever waits. */
  get isAnnounced(): boolean {
    return this.#isAnnounced
  }

  async all(sql: string, parameters: Parameters = []): Promise<readonly SqlRow[]> {
    return (await this.#query(sql, parameters)).rows
  }

  async run(sql: string, parameters: Parameters = []): Promise<number> {
    return (await this.#query(sql, parameters)).changed
  }

  async rows(make: QueryMaker): Promise<readonly NamedRow[]> {
    const { columns, rows } = await this.#build(make)
    return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])))
  }

  async change(make: QueryMaker): Promise<number> {
    return (await this.#build(make)).changed
  }

  announce(): void {
    this.#isAnnounced = true
  }

  async #query(sql: string, parameters: Parameters): Promise<Answer> {
    const { link, statements, limited } = this.#parts
    const statement = statements.statement(sql)
    return limited(link, link.query(statement, inOrder(statement, parameters)))
  }

  async #build(make: QueryMaker): Promise<Answer> {
    const { link, statements, limited } = this.#parts
    const { sql, bindings } = statements.built(make)
    return limited(link, link.once(sql, bindings))
  }
}
