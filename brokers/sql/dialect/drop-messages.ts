import type { SqlSession } from '../sql-session.js'

/** Built by knex, so the same on every database. See `SqlDialect.dropMessages`. */
export async function dropMessages(
  session: SqlSession,
  queue: string,
  which: 'waiting' | 'all',
): Promise<number> {
  return session.change((knex, names) => {
    const ofQueue = knex(names.message).where({ queue })
    return (which === 'waiting' ? ofQueue.whereNull('holder') : ofQueue).delete()
  })
}
