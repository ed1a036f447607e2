import { ConfigError } from '../../errors/errors.js'
import { isList, isPlainObject, shown } from '../../util/shown.js'
import { jsonFromText, switchFromText } from './text.js'

/** A broker: a URL, several in order of preference, or an object that a driver understands, such as a Knex instance. */
export type BrokerSetting = string | readonly string[] | object

/** A result backend: a URL, a bare name, an object that a driver understands, or `false` for no results. */
export type BackendSetting = string | false | object

/** TLS: on, off, or on with the client's options. */
export type SslSetting = boolean | Readonly<Record<string, unknown>>

/** Reads a broker; whether a driver serves it is found out when it is opened. */
export function readBroker(value: unknown, name: string): BrokerSetting {
  if (typeof value === 'string' && value.trim() !== '') return checkedUrl(value.trim(), name)
  if (value instanceof URL) return checkedUrl(value.href, name)
  if (isList(value)) return readUrls(value, name)
  if (isInstance(value)) return value
  throw new ConfigError(
    `expected ${name} to be a URL such as "redis://localhost", a list of URLs or an object such as a Knex instance, ` +
      `got: ${shown(value)}`,
  )
}

function readUrls(urls: readonly unknown[], name: string): readonly string[] {
  const read = urls.map((url) => {
    if (typeof url === 'string' && url.trim() !== '') return checkedUrl(url.trim(), name)
    throw new ConfigError(`expected ${name} to be a list of URLs, got: ${shown(urls)}`)
  })
  if (read.length === 0) throw new ConfigError(`expected ${name} to be a list of at least one URL, got: []`)
  return read
}

function checkedUrl(url: string, name: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? url.toLowerCase()
  if (scheme !== 'django') return url
  throw new ConfigError(
    `${name} "django://" stands for the application's own database; hand its Knex instance over: ` +
      `new Lovage('name', { broker: knex })`,
  )
}

/** Reads a result backend; `disabled` and `disabled://` are `false`. */
export function readBackend(value: unknown, name: string): BackendSetting {
  if (value === false) return false
  if (typeof value === 'string' && value.trim() !== '') return checkedBackend(value.trim(), name)
  if (value instanceof URL) return checkedBackend(value.href, name)
  if (isInstance(value)) return value
  throw new ConfigError(
    `expected ${name} to be a URL such as "redis://localhost", a name such as "rpc", an object or false, ` +
      `got: ${shown(value)}`,
  )
}

function checkedBackend(url: string, name: string): BackendSetting {
  const scheme = url.split(':')[0]?.toLowerCase() ?? ''
  if (scheme === 'disabled') return false
  if (scheme === 'sqs') {
    throw new ConfigError(
      `${name} "sqs://" cannot work, because a queue cannot look up one result; ` +
        `use a Redis, SQL or MongoDB URL beside the SQS broker, or false for no results`,
    )
  }
  if (scheme === 'django' || scheme === 'django-db') {
    throw new ConfigError(
      `${name} "${scheme}" stands for the application's own database; hand its Knex instance over: ` +
        `new Lovage('name', { broker: knex, backend: knex })`,
    )
  }
  return url
}

function isInstance(value: unknown): value is object {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof URL)
}

/** Reads text of the environment or an ini file: `false`, `no` and `off` switch results off. */
export function backendFromText(text: string): unknown {
  return switchFromText(text) === false ? false : text
}

/** Reads TLS options; certificates and ciphers are checked by the client that gets them. */
export function readSsl(value: unknown, name: string): SslSetting {
  if (typeof value === 'boolean' || isPlainObject(value)) return value
  throw new ConfigError(`expected ${name} to be a boolean or an object of TLS options, got: ${shown(value)}`)
}

/** Reads text of the environment or an ini file: a switch, or JSON. */
export function sslFromText(text: string, name: string): unknown {
  return switchFromText(text) ?? jsonFromText(text, name)
}

/** Puts broker URLs, as they were written, into the order in which they are tried; those left out are not tried. */
export type FailoverOrder = (urls: readonly string[]) => Iterable<string>

/** How the broker to try next is chosen: `round-robin` begins with the one that answered last. */
export type FailoverStrategy = 'round-robin' | 'shuffle' | FailoverOrder

/** Reads a failover strategy. */
export function readFailoverStrategy(value: unknown, name: string): FailoverStrategy {
  if (value === 'round-robin' || value === 'shuffle' || isOrder(value)) return value
  throw new ConfigError(`expected ${name} to be "round-robin", "shuffle" or a function, got: ${shown(value)}`)
}

function isOrder(value: unknown): value is FailoverOrder {
  return typeof value === 'function'
}
