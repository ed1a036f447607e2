import type { Options } from 'amqplib'
import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { driverOptions } from '../../src/broker/driver-options.js'
import { SSL_OPTIONS, tlsOf } from '../../src/broker/tls-options.js'
import type { TlsSettings } from '../../src/broker/tls-options.js'
import { ConfigError } from '../../src/errors/errors.js'

/** Type of the queues that hold delayed messages: as in Celery, `quorum` unless set otherwise. */
export type DelayQueueType = 'classic' | 'quorum'

/** A RabbitMQ URL and its transport options, read. */
export interface RabbitSettings {
  /** What the client library connects to; holds the password. */
  readonly server: Options.Connect
  readonly tls: TlsSettings | undefined
  /** As in messages: `rabbitmq at localhost:5672/shop`. */
  readonly label: string
  readonly connectTimeoutMs: number
  readonly delayQueueType: DelayQueueType
  /** How long the server lets a delivery go unacknowledged; 0 when it does not mind. */
  readonly consumerTimeoutMs: number
  /** How the client proves who it is. */
  readonly loginMethod: string
}

const CONNECT_TIMEOUT_MS = 4_000
const CONSUMER_TIMEOUT_MS = 30 * 60_000
const PLAIN_PORT = 5672
const TLS_PORT = 5671

/** Kombu's options of the transport, and Lovage's own; some have nothing to steer here. */
const OPTIONS: readonly string[] = [
  'heartbeat',
  'connect_timeout',
  'connection_timeout',
  'login_method',
  'ssl',
  ...SSL_OPTIONS,
  'native_delayed_delivery_queue_type',
  'consumer_timeout',
  'confirm_publish',
  'read_timeout',
  'write_timeout',
  'max_retries',
  'interval_start',
  'interval_step',
  'interval_max',
  'client_properties',
  'channel_max',
  'frame_max',
]

/** Read the settings of a connection. @throws {@link ConfigError} for an unknown option or a value that does not fit. */
export function readSettings(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
): RabbitSettings {
  const options = driverOptions(url, transportOptions, OPTIONS)
  const tls = tlsOf(options, url.scheme === 'amqps')
  const server = readServer(url, options, tls !== undefined)
  const { hostname = '', port = 0, vhost = '' } = server
  return {
    server,
    tls,
    label: `rabbitmq at ${hostname}:${String(port)}/${vhost.replace(/^\//, '')}`,
    connectTimeoutMs: connectMs(options),
    delayQueueType: queueTypeOf(options.get('native_delayed_delivery_queue_type')),
    consumerTimeoutMs: millisecondsOption(options, 'consumer_timeout') ?? CONSUMER_TIMEOUT_MS,
    loginMethod: loginOf(options.get('login_method')),
  }
}

function readServer(
  url: ConnectionUrl,
  options: ReadonlyMap<string, unknown>,
  isSecure: boolean,
): Options.Connect {
  const heartbeat = numberOption(options, 'heartbeat')
  return {
    protocol: isSecure ? 'amqps' : 'amqp',
    hostname: url.host === '' ? 'localhost' : url.host,
    port: url.port ?? (isSecure ? TLS_PORT : PLAIN_PORT),
    vhost: url.path === '' ? '/' : url.path,
    ...loginPartOf(url),
    ...(heartbeat !== undefined && { heartbeat: Math.round(heartbeat) }),
  }
}

function loginPartOf({ username, password }: ConnectionUrl): Options.Connect {
  return username === undefined && password === undefined
    ? {}
    : { username: username ?? '', password: password ?? '' }
}

function connectMs(options: ReadonlyMap<string, unknown>): number {
  const ms =
    millisecondsOption(options, 'connect_timeout') ?? millisecondsOption(options, 'connection_timeout')
  return ms === undefined || ms === 0 ? CONNECT_TIMEOUT_MS : ms
}

function millisecondsOption(options: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const seconds = numberOption(options, name)
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

function numberOption(options: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = options.get(name)
  if (value === undefined || value === null) return undefined
  const number = Number(value)
  if (Number.isFinite(number) && number >= 0 && value !== '') return number
  throw new ConfigError(`expected option "${name}" to be a number from 0, got: ${JSON.stringify(value)}`)
}

function queueTypeOf(value: unknown): DelayQueueType {
  if (value === undefined || value === null || value === 'quorum') return 'quorum'
  if (value === 'classic') return value
  throw new ConfigError(
    `expected option "native_delayed_delivery_queue_type" to be quorum or classic, got: ${JSON.stringify(value)}`,
  )
}

function loginOf(value: unknown): string {
  if (value === undefined || value === null) return 'PLAIN'
  if (value === 'PLAIN' || value === 'AMQPLAIN' || value === 'EXTERNAL') return value
  throw new ConfigError(
    `expected option "login_method" to be PLAIN, AMQPLAIN or EXTERNAL, got: ${JSON.stringify(value)}`,
  )
}
