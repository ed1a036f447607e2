import type { RedisOptions } from 'ioredis'
import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { booleanOption, driverOptions } from '../../src/broker/driver-options.js'
import { SSL_OPTIONS, tlsOf } from '../../src/broker/tls-options.js'
import { ConfigError } from '../../src/errors/errors.js'
import { shownOption } from '../../src/util/mask-members.js'
import { DEFAULT_NAME } from './checked-redis.js'
import { storeIdOf } from '../../src/broker/store-id.js'
import { clusterConnector } from './cluster-connector.js'
import { sentinelAccount } from './sentinel-account.js'

/** Where a server is and how to talk to it, taken from a URL and the transport options. */
export interface ServerTarget {
  /** Everything that makes two connections exchangeable, database included; holds the password. */
  readonly identity: string
  /** Names the server, whatever the number of the database: one script can reach both. */
  readonly storeId: string
  /** As in messages: `redis at localhost:6379/0`. */
  readonly label: string
  readonly database: number
  readonly connection: RedisOptions
  /** Whether the server is a node of a cluster, as the URL says. */
  readonly isCluster: boolean
  /** Longest wait for an answer, in milliseconds; then the connection is given up. */
  readonly answerMs: number
  /** Whether TCP looks after a silent connection. */
  readonly isKeptAlive: boolean
  /** Start on a server that may evict keys of queues. */
  readonly allowEviction: boolean
}

/** How long the server may take to answer before the connection is given up, in milliseconds. */
const ANSWER_MS = 5_000
const DEFAULT_PORT = 6379
const SENTINEL_PORT = 26_379

/** Options of the connection, kombu's names first; those without a meaning here are taken and left alone. */
const CONNECTION_OPTIONS: readonly string[] = [
  'virtual_host',
  'master_name',
  'sentinel_kwargs',
  'min_other_sentinels',
  'sentinel_fanout_compat',
  'socket_timeout',
  'socket_connect_timeout',
  'socket_keepalive',
  'socket_keepalive_options',
  'retry_on_timeout',
  'client_name',
  'max_connections',
  'health_check_interval',
  'ssl',
  ...SSL_OPTIONS,
  'username',
  'password',
  'allow_eviction',
]

/**
 * Read the part of a URL that names the server.
 *
 * @param prefix - Of all keys; in a cluster, as {@link keyPrefix} gives it.
 * @throws {@link ConfigError} for what is missing or of the wrong type.
 */
export function readServer(
  url: ConnectionUrl,
  options: ReadonlyMap<string, unknown>,
  prefix: string,
): ServerTarget {
  const isCluster = isClusterScheme(url.scheme)
  const isSocket = url.scheme === 'redis+socket' || url.scheme === 'rediss+socket'
  const database = databaseOf(isSocket ? (textOption(options, 'virtual_host') ?? '') : url.path, url)
  const tls = tlsOf(options, url.scheme.startsWith('rediss'))
  const place = isSocket ? { path: `/${url.path}` } : placeOf(url, options, tls !== undefined)
  const connection: RedisOptions = {
    ...place,
    db: database,
    ...accountOf(url, options),
    ...(tls !== undefined && { tls }),
    connectTimeout: secondsOption(options, 'socket_connect_timeout') ?? ANSWER_MS,
    connectionName: textOption(options, 'client_name') ?? DEFAULT_NAME,
  }
  const answerMs = secondsOption(options, 'socket_timeout') ?? ANSWER_MS
  const isKeptAlive = booleanOption(options, 'socket_keepalive', true)
  const serverIdentity = JSON.stringify({ ...connection, db: undefined, ...nodesOf(url, prefix) })
  if (isCluster && database !== 0) throw new ConfigError('a Redis Cluster has database 0 only')
  return {
    identity: `${serverIdentity}/${String(database)}/${String(answerMs)}/${String(isKeptAlive)}`,
    storeId: storeIdOf('redis', serverIdentity),
    label: `redis at ${labelOf(place)}/${String(database)}`,
    database,
    connection: isCluster ? { ...connection, ...clusterPlace(url, prefix, connection) } : connection,
    isCluster,
    answerMs,
    isKeptAlive,
    allowEviction: booleanOption(options, 'allow_eviction', false),
  }
}

/** The prefix of all keys: what is asked for, and in a cluster a hash tag, by which all keys are in one slot. */
export function keyPrefix(url: ConnectionUrl, wanted: string): string {
  if (!isClusterScheme(url.scheme) || /\{[^}]+\}/.test(wanted)) return wanted
  return wanted === ''
    ? '{lovage}:'
    : `{${wanted.replace(/[:_.-]$/, '')}}${/[:_.-]$/.exec(wanted)?.[0] ?? ':'}`
}

/** Transport options by name, the URL's query included. */
export function readOptions(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
  known: readonly string[],
): ReadonlyMap<string, unknown> {
  return driverOptions(url, transportOptions, [...CONNECTION_OPTIONS, ...known])
}

/** An option that is text. */
export function textOption(options: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = options.get(name)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw new ConfigError(`expected option "${name}" to be text, got: ${shownOption(name, value)}`)
}

/** An option in seconds, in milliseconds. */
export function secondsOption(options: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = options.get(name)
  if (value === undefined || value === null || value === 'None') return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds) && seconds > 0) return Math.round(seconds * 1000)
  throw new ConfigError(`expected option "${name}" to be seconds above 0, got: ${JSON.stringify(value)}`)
}

function placeOf(url: ConnectionUrl, options: ReadonlyMap<string, unknown>, isSecure: boolean): RedisOptions {
  if (url.scheme === 'sentinel') return sentinelPlace(url, options, isSecure)
  return { host: url.host === '' ? 'localhost' : url.host, port: url.port ?? DEFAULT_PORT }
}

function accountOf(url: ConnectionUrl, options: ReadonlyMap<string, unknown>): RedisOptions {
  const username = url.username ?? textOption(options, 'username')
  const password = url.password ?? textOption(options, 'password')
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
}

/** What tells one node of a cluster from others, beside the account: another hash tag may be on another node. */
function nodesOf({ scheme, hosts }: ConnectionUrl, prefix: string): object {
  return isClusterScheme(scheme) ? { hosts, tag: /\{([^}]+)\}/.exec(prefix)?.[1] } : {}
}

function isClusterScheme(scheme: string): boolean {
  return scheme.endsWith('+cluster')
}

function clusterPlace(url: ConnectionUrl, prefix: string, connection: RedisOptions): RedisOptions {
  const seeds = url.hosts.map(({ host, port }) => ({ host, port: port ?? DEFAULT_PORT }))
  return { Connector: clusterConnector({ seeds, key: `${prefix}celery` }, connection) }
}

function sentinelPlace(
  url: ConnectionUrl,
  options: ReadonlyMap<string, unknown>,
  isSecure: boolean,
): RedisOptions {
  const name = textOption(options, 'master_name')
  if (name === undefined) {
    throw new ConfigError(
      'sentinel:// needs the transport option "master_name"; give it the name of the master',
    )
  }
  return {
    name,
    sentinels: url.hosts.map(({ host, port }) => ({ host, port: port ?? SENTINEL_PORT })),
    // Without it the client uses TLS to no server that a sentinel names.
    enableTLSForSentinelMode: isSecure,
    ...sentinelAccount(options.get('sentinel_kwargs'), isSecure),
  }
}

function databaseOf(path: string, url: ConnectionUrl): number {
  const text = path.replace(/^\/+/, '')
  if (text === '') return 0
  if (/^\d+$/.test(text)) return Number(text)
  throw new ConfigError(
    `expected the path of ${url.toString()} to be the number of a database, got: "${text}"`,
  )
}

function labelOf(place: RedisOptions): string {
  if (place.path !== undefined) return place.path
  if (place.name !== undefined) return `sentinel ${place.name}`
  return `${place.host ?? ''}:${String(place.port ?? DEFAULT_PORT)}`
}
