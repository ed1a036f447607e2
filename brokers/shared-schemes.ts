import type { Knex } from 'knex'

/** Schemes of the SQL databases, with Celery's names of them; brokers and result backends have the same. */
export const SQL_SCHEMES: readonly string[] = [
  ...['sqlite', 'sqla+sqlite', 'db+sqlite'],
  ...['postgresql', 'sqla+postgresql', 'db+postgresql', 'postgres', 'sqla+postgres', 'db+postgres'],
  ...['mysql', 'sqla+mysql', 'db+mysql', 'mariadb', 'sqla+mariadb', 'db+mariadb'],
]

/** Schemes of Redis, of what stands before it and of clusters. */
export const REDIS_SCHEMES: readonly string[] = [
  ...['redis', 'rediss', 'redis+socket', 'rediss+socket'],
  ...['sentinel', 'redis+cluster', 'rediss+cluster'],
]

/** Whether something is a Knex instance, or a transaction of one: recognized by its shape, the package is not loaded for it. */
export function isKnex(target: unknown): target is Knex {
  return typeof target === 'function' && 'client' in target && 'raw' in target && 'transaction' in target
}
