import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { ConnectionUrl as Url } from '../../src/broker/connection-url.js'
import { booleanOption, driverOptions } from '../../src/broker/driver-options.js'
import { isChecked, isOn, tlsWords } from '../../src/broker/tls-options.js'
import { ConfigError } from '../../src/errors/errors.js'
import { shownOption } from '../../src/util/mask-members.js'
import { isRecord } from '../../src/util/record.js'

/** How an idle consumer hears of messages: what fits the server, or by hand. */
export type WakeChoice = 'auto' | 'changes' | 'poll'

/** Where a server is, from a URL and the transport options. */
export interface MongoTarget {
  /** For the driver, without Lovage's and kombu's options. Holds the password. */
  readonly url: string
  /** As in messages: `mongodb at localhost:27017`. */
  readonly label: string
  readonly database: string
  readonly wake: WakeChoice
  /** How long the server may take to answer before the connection is given up, in milliseconds. */
  readonly answerMs: number
}

/** A broker's URL and transport options, read. */
export interface MongoSettings {
  readonly target: MongoTarget
  readonly names: CollectionNames
  /** Let the server delete messages whose `expiration` has passed. */
  readonly ttl: boolean
  /** Size of the collection of broadcasts, in bytes. */
  readonly cappedBytes: number
}

/** Names of the broker's collections; all but the last two are kombu's. */
export interface CollectionNames {
  readonly messages: string
  readonly routing: string
  readonly broadcast: string
  readonly queues: string
  readonly holders: string
  /** Of beat's leader; entries and occurrences are in `.entries` and `.occurrences` beside it. */
  readonly beat: string
}

const ANSWER_MS = 5_000
const CONNECTION_OPTIONS: readonly string[] = [
  'wake',
  'connect_timeout',
  'socket_timeout',
  'default_database',
]

/** Kombu's options of the transport; some have nothing to steer here. */
const BROKER_OPTIONS: readonly string[] = [
  'ssl',
  'ttl',
  'capped_queue_size',
  'default_hostname',
  'default_port',
  'messages_collection',
  'routing_collection',
  'broadcast_collection',
  'queues_collection',
  'holders_collection',
  'beat_collection',
  'calc_queue_size',
  'polling_interval',
]

/** Read the settings of a broker. @throws {@link ConfigError} for an unknown option or a value that does not fit. */
export function readSettings(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
): MongoSettings {
  const { options, target } = readTarget(url, transportOptions, {
    known: BROKER_OPTIONS,
    database: 'kombu_default',
  })
  const name = (key: string, fallback: string): string => textOption(options, key) ?? fallback
  const messages = name('messages_collection', 'messages')
  return {
    target,
    names: {
      messages,
      routing: name('routing_collection', 'messages.routing'),
      broadcast: name('broadcast_collection', 'messages.broadcast'),
      queues: name('queues_collection', 'messages.queues'),
      holders: name('holders_collection', `${messages}.lovage.holders`),
      beat: name('beat_collection', `${messages}.lovage.beat`),
    },
    ttl: booleanOption(options, 'ttl', false),
    cappedBytes: numberOption(options, 'capped_queue_size') ?? 100_000,
  }
}

/** Options that are Lovage's or Celery's, and the server they lead to; the rest of the query is the driver's. */
export function readTarget(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
  own: { readonly known: readonly string[]; readonly database: string },
): { readonly options: ReadonlyMap<string, unknown>; readonly target: MongoTarget } {
  const known = [...CONNECTION_OPTIONS, ...own.known]
  const query = Object.entries(url.query)
  // `ssl` in the query is the driver's own.
  const isOurs = (name: string): boolean => known.includes(name) && name !== 'ssl'
  const ours = Object.fromEntries(query.filter(([name]) => isOurs(name)))
  const { scheme, username, hosts, path, password } = url
  const parts = { scheme, username, hosts, path, password, query: ours }
  const options = driverOptions(new Url(url.text, parts), transportOptions, known)
  const theirs = new URLSearchParams(query.filter(([name]) => !isOurs(name)))
  for (const [name, value] of Object.entries(recordOf(options.get('options')))) {
    if (!theirs.has(name)) theirs.set(name, String(value))
  }
  if (theirs.get('w') === '0')
    throw new ConfigError('expected option "w" to be above 0: with 0 the server confirms nothing')
  askForTls(options, theirs)
  return {
    options,
    target: {
      url: clientUrl(url, theirs),
      label: `${url.scheme} at ${hosts.map(({ host, port }) => `${host}:${String(port ?? 27_017)}`).join()}`,
      database: path === '' ? (textOption(options, 'default_database') ?? own.database) : path,
      wake: wakeOf(options.get('wake')),
      answerMs: secondsOption(options, 'socket_timeout') ?? ANSWER_MS,
    },
  }
}

/** An option that is text. */
export function textOption(options: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = options.get(name)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw new ConfigError(`expected option "${name}" to be text, got: ${shownOption(name, value)}`)
}

/** Options for the driver, by its own names. */
function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {}
  if (isRecord(value)) return value
  throw new ConfigError(
    `expected option "options" to be options by name, got: ${shownOption('options', value)}`,
  )
}

/** TLS that Celery's option asks for, and that of the driver's own options: naming a file is asking for it. */
function askForTls(options: ReadonlyMap<string, unknown>, theirs: URLSearchParams): void {
  const words = tlsWords(options, false)
  for (const [name, value] of words ?? []) setTlsOption(theirs, name, value)
  const isAsked = words !== undefined || [...theirs.keys()].some((name) => /^(tls|ssl)[A-Z]/.test(name))
  if (!isAsked) return
  if ([theirs.get('tls'), theirs.get('ssl')].includes('false'))
    throw new ConfigError('TLS is switched off in the URL and asked for beside it; drop one of the two')
  if (!theirs.has('tls') && !theirs.has('ssl')) theirs.set('tls', 'true')
}

function setTlsOption(theirs: URLSearchParams, name: string, value: unknown): void {
  if (value === undefined || value === null) return
  if (name === 'ca_certs') theirs.set('tlsCAFile', fileOf(name, value))
  else if (name === 'certfile') theirs.set('tlsCertificateKeyFile', fileOf(name, value))
  else if (name === 'cert_reqs') theirs.set('tlsAllowInvalidCertificates', String(!isChecked(value)))
  else if (name === 'check_hostname') theirs.set('tlsAllowInvalidHostnames', String(!isOn(name, value)))
  else if (name.startsWith('tls'))
    theirs.set(name, typeof value === 'boolean' ? String(value) : fileOf(name, value))
  else
    throw new ConfigError(
      `unknown TLS option "${name}" for mongodb://; known are ca_certs, certfile (certificate and key in one file), ` +
        `cert_reqs, check_hostname and the driver's own (tlsCAFile, …)`,
    )
}

function fileOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new ConfigError(`expected TLS option "${name}" to be text, got: ${typeof value}`)
}

function clientUrl(url: ConnectionUrl, query: URLSearchParams): string {
  const [beforeQuery = ''] = url.text.split('?', 1)
  const [, rest = ''] = beforeQuery.split('://', 2)
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  const path = slash < 0 ? '/' : rest.slice(slash)
  const text = query.toString()
  return `${url.scheme}://${authority === '' ? 'localhost' : authority}${path}${text === '' ? '' : `?${text}`}`
}

function numberOption(options: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = options.get(name)
  if (value === undefined || value === null || value === 'None') return undefined
  const number = Number(value)
  if (Number.isFinite(number) && number > 0) return number
  throw new ConfigError(`expected option "${name}" to be a number above 0, got: ${JSON.stringify(value)}`)
}

function secondsOption(options: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const seconds = numberOption(options, name)
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

function wakeOf(value: unknown): WakeChoice {
  if (value === undefined || value === null) return 'auto'
  if (value === 'auto' || value === 'changes' || value === 'poll') return value
  throw new ConfigError(`expected option "wake" to be auto, changes or poll, got: ${JSON.stringify(value)}`)
}
