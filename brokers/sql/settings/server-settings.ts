import type { ConnectionUrl } from '../../../src/broker/connection-url.js'
import { booleanOption, driverOptions } from '../../../src/broker/driver-options.js'
import { inWordsOfLibpq, loginOptions, OWN_OPTIONS } from './login-options.js'
import type { LoginOptions } from './login-options.js'
import { tableNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import {
  countOption,
  durationOption,
  IGNORED_OPTIONS,
  layoutOf,
  PLACE_OPTIONS,
  placeOf,
  textOption,
} from './options.js'
import type { QueueLayout, ServerKind } from './options.js'
import { serverTls } from './server-tls.js'
import type { Tls } from './server-tls.js'

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/** How the driver package connects. */
export interface ServerLogin extends LoginOptions {
  /** In the order to try them; of several, one takes writes. */
  readonly servers: readonly [ServerAddress, ...ServerAddress[]]
  readonly user: string | undefined
  readonly database: string | undefined
  readonly tls: Tls | undefined
  /** A function, so that printing settings shows no secret. */
  readonly password: () => string | undefined
}

/** A database server to connect to, and how. */
export interface ServerSettings {
  readonly kind: ServerKind
  readonly layout: QueueLayout
  readonly login: ServerLogin
  readonly names: TableNames
  /** Equal for two targets that can share one pool of connections. */
  readonly key: string
  /** Most connections at once, besides the one that listens. */
  readonly poolSize: number
  /** Longest wait for an answer of the server, in milliseconds. */
  readonly queryTimeoutMs: number
  /** Whether a connection may keep anything from one transaction to the next: prepared statements, LISTEN. */
  readonly keepsSession: boolean
  readonly pollMs: number
}

const KNOWN = [
  'schema',
  'tablePrefix',
  'poolSize',
  'queryTimeout',
  'pollInterval',
  'pgbouncer',
  'host',
  'connect_timeout',
  'ssl',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
]
const DEFAULT_PORTS: Readonly<Record<ServerKind, number>> = { postgresql: 5432, mysql: 3306 }
// Without a message from the server the poll is what makes a task begin.
const DEFAULT_POLL_MS: Readonly<Record<ServerKind, number>> = { postgresql: 1000, mysql: 100 }
// There is no notification of what Python sends.
const KOMBU_POLL_MS = 100

/** The server that a URL names. @throws `ConfigError` for an option that is unknown or wrong. */
export function serverSettings(
  kind: ServerKind,
  url: ConnectionUrl,
  transportOptions?: Readonly<Record<string, unknown>>,
): ServerSettings {
  const known = [...KNOWN, ...OWN_OPTIONS[kind], ...PLACE_OPTIONS, ...IGNORED_OPTIONS]
  const options = inWordsOfLibpq(driverOptions(url, transportOptions, known))
  const layout = layoutOf(url)
  const login = loginOf(kind, url, options)
  const { servers, user, database } = login
  const names = tableNames(placeOf(options, layout))
  const keepsSession = !booleanOption(options, 'pgbouncer', false)
  return {
    kind,
    layout,
    login,
    names,
    key: JSON.stringify([
      kind,
      servers,
      user,
      database,
      login.startOptions,
      names.message,
      names.kombuMessage,
      names.taskmeta,
      names.tasksetmeta,
      keepsSession,
    ]),
    poolSize: countOption(options, 'poolSize', 8),
    queryTimeoutMs: durationOption(options, 'queryTimeout', 5000),
    keepsSession,
    pollMs: durationOption(
      options,
      'pollInterval',
      layout === 'kombu' ? KOMBU_POLL_MS : DEFAULT_POLL_MS[kind],
    ),
  }
}

function loginOf(kind: ServerKind, url: ConnectionUrl, options: ReadonlyMap<string, unknown>): ServerLogin {
  const tls = serverTls(options)
  const own = loginOptions(kind, options, tls !== undefined)
  return {
    ...own,
    servers: serversOf(kind, url, own.socketPath ?? textOption(options, 'host')),
    user: url.username,
    database: url.path === '' ? undefined : url.path,
    tls,
    password: () => url.password,
  }
}

/** The servers of a URL. @param socket - The option `host`, as for the folder of a Unix socket, which stands for all of them. */
function serversOf(kind: ServerKind, url: ConnectionUrl, socket: string | undefined): ServerLogin['servers'] {
  const address = (host: string, port: number | undefined): ServerAddress => ({
    host: host === '' ? 'localhost' : host,
    port: port ?? DEFAULT_PORTS[kind],
  })
  const [, ...others] = url.hosts
  if (socket !== undefined) return [address(socket, url.port)]
  return [address(url.host, url.port), ...others.map(({ host, port }) => address(host, port))]
}
