import { ConfigError } from '../../../src/errors/errors.js'
import { durationOption, textOption } from './options.js'
import type { ServerKind } from './options.js'

/** What a URL says of a login in the words of its own database, as providers print it. */
export interface LoginOptions {
  /** How connections name themselves to PostgreSQL. */
  readonly applicationName: string
  /** Settings of PostgreSQL for every connection, as `-c search_path=shop`. */
  readonly startOptions: string | undefined
  /** Longest wait for a connection, in milliseconds; as `queryTimeout` allows when `undefined`. */
  readonly connectTimeoutMs: number | undefined
  /** Whether the password is bound to the TLS connection where PostgreSQL offers it. */
  readonly bindsChannel: boolean
  /** Path of the socket of a MySQL server on this machine. */
  readonly socketPath: string | undefined
}

type Options = ReadonlyMap<string, unknown>

const UTF_8: ReadonlySet<string> = new Set(['utf8', 'utf-8', 'utf8mb4'])
/** Options of MySQL's drivers by what they are in libpq. */
const MYSQL_TLS: Readonly<Record<string, string>> = {
  ssl_ca: 'sslrootcert',
  ssl_cert: 'sslcert',
  ssl_key: 'sslkey',
  ssl_mode: 'sslmode',
  'ssl-mode': 'sslmode',
}
const MYSQL_MODES: Readonly<Record<string, string>> = {
  DISABLED: 'disable',
  PREFERRED: 'prefer',
  REQUIRED: 'require',
  VERIFY_CA: 'verify-ca',
  VERIFY_IDENTITY: 'verify-full',
}

/** The options that only one of the servers knows. */
export const OWN_OPTIONS: Readonly<Record<ServerKind, readonly string[]>> = {
  postgresql: ['application_name', 'channel_binding', 'client_encoding', 'options', 'target_session_attrs'],
  mysql: ['charset', 'unix_socket', ...Object.keys(MYSQL_TLS)],
}

/** Read them. @throws {@link ConfigError} for a value that cannot be obeyed. */
export function loginOptions(kind: ServerKind, options: Options, hasTls: boolean): LoginOptions {
  // What is sent and read is UTF-8 everywhere.
  oneOf(options, kind === 'mysql' ? 'charset' : 'client_encoding', [...UTF_8])
  // A server that only reads is left in any case.
  oneOf(options, 'target_session_attrs', ['any', 'read-write', 'primary'])
  const binding = oneOf(options, 'channel_binding', ['disable', 'prefer', 'require'])
  if (binding === 'require' && !hasTls)
    throw new ConfigError('channel_binding=require needs TLS: set sslmode too')
  const host = textOption(options, 'host')
  const socket = host?.startsWith('/') === true ? host : undefined
  const timeoutMs = durationOption(options, 'connect_timeout', 0)
  return {
    applicationName: textOption(options, 'application_name') ?? 'lovage',
    startOptions: textOption(options, 'options'),
    connectTimeoutMs: timeoutMs === 0 ? undefined : timeoutMs,
    bindsChannel: hasTls && binding !== 'disable' && binding !== undefined,
    socketPath: kind === 'mysql' ? (textOption(options, 'unix_socket') ?? socket) : undefined,
  }
}

/** The options with MySQL's names for TLS as those of libpq. */
export function inWordsOfLibpq(options: Options): Options {
  const entries = [...options].map(([name, value]): [string, unknown] => {
    const known = MYSQL_TLS[name]
    if (known === undefined) return [name, value]
    return [known, known === 'sslmode' ? (MYSQL_MODES[String(value).toUpperCase()] ?? value) : value]
  })
  return new Map(entries)
}

function oneOf(options: Options, name: string, allowed: readonly string[]): string | undefined {
  const value = textOption(options, name)?.toLowerCase()
  if (value === undefined || allowed.includes(value)) return value
  throw new ConfigError(`expected option "${name}" to be one of ${allowed.join(', ')}, got: "${value}"`)
}
