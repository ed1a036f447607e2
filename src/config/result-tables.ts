import type { Config } from './config.js'

/** What of the configuration decides on the result tables of a SQL database. */
export type ResultTableParts = Pick<Config, 'databaseTableNames' | 'databaseTableSchemas'>

const SQL = /^(?:db\+)?(?:postgres|postgresql|mysql|mariadb|sqlite)\b/

/**
 * `databaseTableNames` and `databaseTableSchemas` as an option of a SQL database's driver; nothing where neither is set, or
 * the store is of another kind.
 *
 * @param target - A URL, or a Knex instance.
 * @source Celery 5.7, `celery/backends/database/__init__.py`, `DatabaseBackend.__init__`.
 */
export function resultTablesOption(
  config: ResultTableParts,
  target: string | object,
): Readonly<Record<string, unknown>> {
  const { databaseTableNames: names, databaseTableSchemas: schemas } = config
  const isSql = typeof target === 'string' ? SQL.test(target) : true
  if (!isSql || (names === undefined && schemas === undefined)) return {}
  return { resultTables: { names: names ?? {}, schemas: schemas ?? {} } }
}
