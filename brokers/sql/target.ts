import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { UnsupportedError } from '../../src/errors/errors.js'
import { serverTarget } from './server-target.js'
import type { ServerKind, ServerTarget } from './server-target.js'
import { sqliteTarget } from './sqlite-target.js'
import type { SqliteTarget } from './sqlite-target.js'

/** A database to work on, and how. */
export type SqlTarget = SqliteTarget | ServerTarget

/** What the driver's name is for users: in logs, errors and the capability table. */
export function targetName(target: SqlTarget): string {
  return target.kind
}

const SERVERS: ReadonlyMap<string, ServerKind> = new Map([
  ['postgresql', 'postgresql'],
  ['postgres', 'postgresql'],
  ['mysql', 'mysql'],
  ['mariadb', 'mysql'],
])

/**
 * The database that a URL names.
 *
 * @throws `ConfigError` for an option that is unknown or wrong; {@link UnsupportedError} for kombu's tables.
 */
export function parseTarget(
  url: ConnectionUrl,
  transportOptions?: Readonly<Record<string, unknown>>,
): SqlTarget {
  if (url.scheme.startsWith('sqla+')) {
    throw new UnsupportedError(
      `kombu's tables (${url.scheme}://) are not supported yet; without "sqla+" it has Lovage's own`,
    )
  }
  const server = SERVERS.get(url.scheme.replace(/^db\+/, ''))
  return server === undefined
    ? sqliteTarget(url, transportOptions)
    : serverTarget(server, url, transportOptions)
}

/** Whether two targets are one database, which can be opened once for both. */
export function isSameStore(one: SqlTarget, other: SqlTarget): boolean {
  if (one.kind === 'sqlite') {
    return other.kind === 'sqlite' && one.path === other.path && one.engine === other.engine
  }
  return other.kind !== 'sqlite' && one.key === other.key
}
