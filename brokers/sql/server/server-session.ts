import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { NamedRow, Parameters, QueryMaker, SqlSession, SqlRow } from '../sql-session.js'
import { compiled, inOrder } from '../statement.js'
import type { Notation } from '../statement.js'
import type { TableNames } from '../table-names.js'
import type { Answer, SqlConnection, Statement } from './sql-connection.js'

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

/** The texts of one database: hot ones with the names put in once, others built by knex. */
export class PreparedStatementCache {
  readonly names: TableNames
  readonly #builder: Knex
  readonly #notation: Notation
  readonly #statements = new Map<string, Statement>()

  /** @param builder - A knex of the right dialect, used for building alone. */
  constructor(names: TableNames, builder: Knex, notation: Notation) {
    this.names = names
    this.#builder = builder
    this.#notation = notation
  }

  /** The query builder. */
  get builder(): Knex {
    return this.#builder
  }

  /** A hot statement. */
  statement(template: string): Statement {
    const known = this.#statements.get(template)
    if (known !== undefined) return known
    const text = compiled(template, this.names, this.#notation)
    const digest = createHash('sha1').update(text.sql).digest('hex').slice(0, 24)
    const statement = { ...text, name: `lovage_${digest}` }
    this.#statements.set(template, statement)
    return statement
  }

  /** What a maker builds, for the server as it is. */
  built(make: QueryMaker): { readonly sql: string; readonly bindings: readonly unknown[] } {
    const { sql, bindings } = make(this.#builder, this.names).toSQL().toNative()
    return { sql, bindings }
  }
}
