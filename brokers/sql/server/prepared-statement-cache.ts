import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { QueryMaker } from '../sql-session.js'
import { compiled } from '../statement.js'
import type { Notation } from '../statement.js'
import type { TableNames } from '../table-names.js'
import type { Statement } from './sql-connection.js'

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
