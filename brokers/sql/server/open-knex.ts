import type { Knex } from 'knex'
import { DriverMissingError } from '../../../src/errors/errors.js'
import { isRecord } from '../../../src/util/record.js'
import type { ServerAddress, ServerSettings } from '../settings/server-settings.js'
import { KnexPool } from './knex-pool.js'
import { PreparedStatementCache } from './server-session.js'
import { ServerDatabase } from './server-database.js'
import { ServerRing } from './server-ring.js'
import type { SqlConnection, ServerAdapter } from './sql-connection.js'

/** How a knex is opened. */
export interface KnexOptions {
  /** Settings of a connection, beside the server. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly ring: ServerRing
  readonly pool: Knex.PoolConfig
  /** Longest wait for a connection, in milliseconds. */
  readonly acquireConnectionTimeout: number
}

const silent = {
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
  deprecate: () => undefined,
}

/**
 * How long a server may take to accept a connection, in milliseconds: less than one is waited for, so that a server which
 * does not answer is told from a pool of which every connection is in use.
 */
export function connectTimeoutMs({ login, queryTimeoutMs }: ServerSettings): number {
  return login.connectTimeoutMs ?? Math.ceil(queryTimeoutMs * 0.8)
}

/**
 * A knex with a pool of its own, whose connections lead to the current server of the ring. It says nothing on the console: its
 * errors come back by themselves.
 */
export async function openKnex(client: 'pg' | 'mysql2', options: KnexOptions): Promise<Knex> {
  const { settings, ring, ...rest } = options
  const { default: knex } = await import('knex')
  const connection = (): object => {
    const server = ring.current
    return { ...settings, ...server, expirationChecker: () => ring.current !== server }
  }
  return knex({ client, log: silent, ...rest, connection })
}

/** What a pool does with a new connection before it hands it out. A command that is refused is an error of the connect. */
export function tuned(driver: ServerAdapter): NonNullable<Knex.PoolConfig['afterCreate']> {
  return (connection: object, done: (error: unknown, connection: object) => void): void => {
    const link = driver.connection(connection, true)
    tune(link, driver.tuning).then(
      () => done(undefined, connection),
      (error: unknown) => {
        // The pool forgets it.
        link.destroy()
        done(error, connection)
      },
    )
  }
}

async function tune(link: SqlConnection, commands: readonly string[]): Promise<void> {
  for (const command of commands) await link.exec(command)
}

/** A knex that only builds. */
export async function builderKnex(client: 'pg' | 'mysql2' | 'better-sqlite3'): Promise<Knex> {
  const { default: knex } = await import('knex')
  return knex({ client, log: silent, ...(client === 'better-sqlite3' && { useNullAsDefault: true }) })
}

/** What of a database on a server of Lovage's own connections differs between servers. */
export interface ServerKindParts {
  readonly client: 'pg' | 'mysql2'
  readonly driver: ServerAdapter
  readonly settings: Readonly<Record<string, unknown>>
  readonly pool?: Knex.PoolConfig
  readonly channel?: string
  readonly openApart?: (server: ServerAddress | undefined) => Promise<object>
  /** Names the kind of server in errors. */
  readonly title: string
}

/** Open a database on a pool of connections of Lovage's own. */
export async function openServer(
  settings: ServerSettings,
  { client, driver, channel, openApart, title, ...parts }: ServerKindParts,
): Promise<{ readonly database: ServerDatabase; readonly pool: KnexPool }> {
  const { login, names, poolSize, queryTimeoutMs, keepsSession } = settings
  const ring = new ServerRing(login.servers)
  const knex = await openKnex(client, {
    settings: parts.settings,
    ring,
    pool: { min: 0, max: poolSize, ...parts.pool, ...(keepsSession && { afterCreate: tuned(driver) }) },
    acquireConnectionTimeout: queryTimeoutMs,
  })
  const pool = new KnexPool(knex, driver, {
    ring,
    ...(openApart !== undefined && { openApart: () => openApart(ring.current) }),
  })
  const database = new ServerDatabase({
    driver,
    pool,
    statements: new PreparedStatementCache(names, knex, driver),
    channel,
    keepsSession,
    queryTimeoutMs,
    isTuned: keepsSession,
    label: `${title} at ${login.servers.map(({ host, port }) => `${host}:${port}`).join(' or ')}`,
  })
  return { database, pool }
}

/** Load an optional package. @throws {@link DriverMissingError} when it is not installed. */
export async function requirePackage<Package>(
  scheme: string,
  name: string,
  load: () => Promise<Package>,
): Promise<Package> {
  try {
    return await load()
  } catch (cause) {
    const code = isRecord(cause) ? cause['code'] : undefined
    if (code === 'ERR_MODULE_NOT_FOUND') throw new DriverMissingError(scheme, name, { cause })
    throw cause
  }
}
