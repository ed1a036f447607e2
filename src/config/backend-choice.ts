import { isIPv6 } from 'node:net'
import { splitUrls } from '../util/url-list.js'
import { ConfigError } from '../errors/errors.js'
import type { Config } from './config.js'
import type { BackendSetting, BrokerSetting } from './value/store-settings.js'
import { isList } from '../util/shown.js'
import { maskUrls } from '../util/mask-url.js'

/** Where messages go. */
export type BrokerChoice =
  | { readonly kind: 'urls'; readonly urls: readonly string[] }
  | { readonly kind: 'instance'; readonly instance: object }
  | { readonly kind: 'embedded' }

/** Where results go. */
export type BackendChoice =
  /** A URL or object of its own. */
  | { readonly kind: 'target'; readonly target: string | object }
  /** The store of the broker, the embedded file too, where it can keep results: open the backend with the broker's URL or object. */
  | { readonly kind: 'same-store' }
  /** Results are switched off. */
  | { readonly kind: 'off' }

/** What of the configuration decides on the broker. */
export type BrokerParts = Pick<
  Config,
  | 'brokerUrl'
  | 'brokerTransport'
  | 'brokerHost'
  | 'brokerPort'
  | 'brokerUser'
  | 'brokerPassword'
  | 'brokerVhost'
>

/** What of the configuration decides on the backend. */
export type BackendParts = BrokerParts &
  Pick<
    Config,
    | 'resultBackend'
    | 'databaseUrl'
    | 'cacheBackend'
    | 'mongodbBackendSettings'
    | 'redisHost'
    | 'redisPort'
    | 'redisDb'
    | 'redisUsername'
    | 'redisPassword'
  >

/** Celery's old backend kept each result in a queue of RabbitMQ. */
const RABBITMQ_SCHEMES: ReadonlySet<string> = new Set(['amqp', 'amqps', 'pyamqp', 'librabbitmq', 'rabbitmq'])

/**
 * Where messages go: the broker that is set, else a URL of the parts `brokerHost`, `brokerUser`, …, else the embedded
 * file. A text with several URLs is split at `;`.
 */
export function chooseBroker(config: BrokerParts): BrokerChoice {
  const broker = config.brokerUrl
  if (broker !== undefined) return brokerOf(broker)
  const url = urlOfParts(config)
  return url === undefined ? { kind: 'embedded' } : { kind: 'urls', urls: [url] }
}

function brokerOf(broker: BrokerSetting): BrokerChoice {
  if (typeof broker === 'string') {
    return { kind: 'urls', urls: withJoinedSentinels(splitUrls(broker).map((url) => withScheme(url))) }
  }
  if (!isList(broker)) return { kind: 'instance', instance: broker }
  const urls: readonly unknown[] = broker
  return { kind: 'urls', urls: withJoinedSentinels(urls.filter(isText).map((url) => withScheme(url))) }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** kombu takes the bare name of a transport for its URL. */
function withScheme(url: string): string {
  return url.includes('://') ? url : `${url}://`
}

function urlOfParts(config: BrokerParts): string | undefined {
  const { brokerTransport, brokerHost, brokerPort, brokerUser, brokerPassword, brokerVhost } = config
  if (brokerHost === undefined && brokerTransport === undefined) return undefined
  if (brokerHost?.includes('://') === true) return brokerHost
  return serverUrl({
    scheme: brokerTransport ?? 'amqp',
    user: brokerUser,
    password: brokerPassword,
    host: brokerHost ?? 'localhost',
    port: brokerPort,
    path: brokerVhost,
  })
}

interface ServerParts {
  readonly scheme: string
  readonly user: string | undefined
  readonly password: string | undefined
  readonly host: string
  readonly port: number | undefined
  readonly path: string | undefined
}

function serverUrl({ scheme, user, password, host, port, path }: ServerParts): string {
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`
  const login =
    user === undefined && password === undefined ? '' : `${encodeURIComponent(user ?? '')}${secret}@`
  const bracketed = isIPv6(host) ? `[${host}]` : host
  const place = port === undefined ? bracketed : `${bracketed}:${port}`
  return `${scheme}://${login}${place}${path === undefined ? '' : `/${encodeURIComponent(path)}`}`
}

/**
 * Where results go, by the rules for a backend that is set, set by a bare name, switched off, or left out.
 *
 * @throws {@link ConfigError} when a bare name needs a setting that is not there.
 */
export function chooseBackend(config: BackendParts): BackendChoice {
  const backend = config.resultBackend
  return backend === undefined ? { kind: 'same-store' } : backendOf(backend, config)
}

/** Whether results are sent to whoever called, who has to listen before. */
export function awaitsReplies(config: BackendParts): boolean {
  const choice = chooseBackend(config)
  return choice.kind === 'target' && choice.target === 'rpc://'
}

function backendOf(backend: BackendSetting, config: BackendParts): BackendChoice {
  if (backend === false) return { kind: 'off' }
  if (typeof backend !== 'string') return { kind: 'target', target: backend }
  const scheme = schemeOf(backend)
  if (scheme === 'disabled') return { kind: 'off' }
  // `rpc` is what became of the backend `amqp`.
  if (scheme === 'rpc' || RABBITMQ_SCHEMES.has(scheme)) return { kind: 'target', target: 'rpc://' }
  if (scheme === 'sentinel')
    return { kind: 'target', target: withJoinedSentinels(splitUrls(backend)).join(';') }
  return { kind: 'target', target: backend.includes(':') ? backend : bareName(backend, config) }
}

function bareName(name: string, config: BackendParts): string {
  switch (name) {
    case 'redis':
      return redisUrl(config)
    case 'mongodb':
      return mongodbUrl(config)
    case 'database':
    case 'db':
      return databaseUrl(config)
    case 'cache':
      return config.cacheBackend === undefined || config.cacheBackend === 'memory'
        ? 'cache+memory://'
        : `cache+${config.cacheBackend}`
    default:
      return `${name}://`
  }
}

function redisUrl(config: BackendParts): string {
  return serverUrl({
    scheme: 'redis',
    user: config.redisUsername,
    password: config.redisPassword,
    host: config.redisHost ?? 'localhost',
    port: config.redisPort ?? 6379,
    path: String(config.redisDb ?? 0),
  })
}

function mongodbUrl({ mongodbBackendSettings: settings = {} }: BackendParts): string {
  const text = (key: string): string | undefined => {
    const value = settings[key]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const given = settings['host']
  // A list names the members of a replica set, each with its port.
  const host = Array.isArray(given) ? given.map(String).join(',') : (text('host') ?? 'localhost')
  if (host.includes('://')) return host
  const port = settings['port'] ?? (host.includes(',') ? undefined : 27_017)
  return serverUrl({
    scheme: 'mongodb',
    user: text('user'),
    password: text('password'),
    host,
    port: typeof port === 'number' && !host.includes(',') ? port : undefined,
    path: text('database') ?? 'celery',
  })
}

function databaseUrl({ databaseUrl: url }: BackendParts): string {
  if (url === undefined) {
    throw new ConfigError(
      'the backend "database" needs databaseUrl, or write the URL itself: "db+postgresql://…"',
    )
  }
  return url.startsWith('db+') ? url : `db+${url}`
}

function schemeOf(url: string): string {
  return url.split(':')[0]?.toLowerCase() ?? ''
}

const SENTINEL = /^sentinel:\/\/(?:(.*)@)?([^@/?]*)(\/[^?]*)?(?:\?(.*))?$/i

/**
 * URLs with those of sentinels joined into one: they are not servers of their own, but name the same ones together.
 *
 * @throws {@link ConfigError} for sentinels that differ in account or database.
 * @source Celery 5.7, `celery/backends/redis.py`, `SentinelBackend._params_from_url`.
 */
export function withJoinedSentinels(urls: readonly string[]): readonly string[] {
  const parts = urls.map((url) => SENTINEL.exec(url))
  const sentinels = parts.filter((part) => part !== null)
  if (sentinels.length < 2) return urls
  const only = (at: number): string | undefined => {
    const values = new Set(
      sentinels.map((part) => part[at] ?? '').filter((value) => value !== '' && value !== '/'),
    )
    if (values.size > 1)
      throw new ConfigError(
        `the sentinels of one list have to be given the same account and database: ${maskUrls(urls.join(';'))}`,
      )
    return [...values][0]
  }
  const account = only(1)
  const hosts = sentinels.map(([, , host = '']) => host).filter((host) => host !== '')
  const query = sentinels.flatMap(([, , , , words]) => words ?? []).join('&')
  const joined =
    `sentinel://${account === undefined ? '' : `${account}@`}${hosts.join(',')}${only(3) ?? '/'}` +
    (query === '' ? '' : `?${query}`)
  const first = parts.findIndex((part) => part !== null)
  return urls.flatMap((url, index) => (parts[index] === null ? [url] : index === first ? [joined] : []))
}
