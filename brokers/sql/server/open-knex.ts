import type { Knex } from 'knex'
import { DriverMissingError } from '../../../src/errors/errors.js'
import { isRecord } from '../../../src/util/record.js'
import type { SqlConnection, ServerAdapter } from './sql-connection.js'

/** How a knex is opened. */
export interface KnexOptions {
  readonly connection: Readonly<Record<string, unknown>>
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
export function connectTimeoutMs(acquireTimeoutMs: number): number {
  return Math.ceil(acquireTimeoutMs * 0.8)
}

/** A knex with a pool of its own, which says nothing on the console: its errors come back by themselves. */
export async function openKnex(client: 'pg' | 'mysql2', options: KnexOptions): Promise<Knex> {
  const { default: knex } = await import('knex')
  return knex({ client, log: silent, ...options })
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

/** Load an optional package. @throws {@link DriverMissingError} when it is not installed. */
export async function requirePackage(
  scheme: string,
  name: string,
  load: () => Promise<unknown>,
): Promise<void> {
  try {
    await load()
  } catch (cause) {
    const code = isRecord(cause) ? cause['code'] : undefined
    if (code === 'ERR_MODULE_NOT_FOUND') throw new DriverMissingError(scheme, name, { cause })
    throw cause
  }
}
