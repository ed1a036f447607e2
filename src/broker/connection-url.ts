import { ConfigError } from '../errors/errors.js'
import { maskUrl } from '../util/mask-url.js'

/** One server of a URL that lists several, as `mongodb://a:1,b:2/`. */
export interface HostPort {
  readonly host: string
  readonly port: number | undefined
}

/** The parts of a URL, percent-decoded. */
export interface ConnectionParts {
  /** In lower case, without `://`: `redis`, `sqla+postgresql`. */
  readonly scheme: string
  /** The suffix that the registry took off a SQL scheme: `psycopg2` of `postgresql+psycopg2`. */
  readonly driver?: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  /** In the order written; empty when the URL names no server. */
  readonly hosts: readonly HostPort[]
  /** Everything between the first slash after the server and the query; so `//vhost` has the path `/vhost`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
}

/**
 * A broker or backend URL taken apart, as kombu and SQLAlchemy read it.
 *
 * `sqlite:///relative.db` has the path `relative.db`, `sqlite:////absolute.db` the path `/absolute.db`. What may hold a
 * secret is behind getters, so that printing the object, in any way, does not show it.
 *
 * @source kombu 5.6, `kombu/utils/url.py`, `parse_url`; SQLAlchemy 2.0, `engine/url.py`.
 */
export class ConnectionUrl implements ConnectionParts {
  readonly scheme: string
  readonly driver: string | undefined
  readonly username: string | undefined
  readonly hosts: readonly HostPort[]
  readonly path: string
  readonly #text: string
  readonly #password: string | undefined
  readonly #query: Readonly<Record<string, string>>

  constructor(text: string, parts: ConnectionParts) {
    this.scheme = parts.scheme
    this.driver = parts.driver
    this.username = parts.username
    this.hosts = parts.hosts
    this.path = parts.path
    this.#text = text
    this.#password = parts.password
    this.#query = parts.query
  }

  /** The URL as it was written, password included. */
  get text(): string {
    return this.#text
  }

  get password(): string | undefined {
    return this.#password
  }

  get query(): Readonly<Record<string, string>> {
    return this.#query
  }

  /** The first host, or an empty string. */
  get host(): string {
    return this.hosts[0]?.host ?? ''
  }

  /** The first host's port, if one is written. */
  get port(): number | undefined {
    return this.hosts[0]?.port
  }

  /** The URL with its secrets masked. */
  toString(): string {
    return maskUrl(this.#text)
  }

  /** As {@link ConnectionUrl.toString}. */
  toJSON(): string {
    return this.toString()
  }
}

// What a password may hold only percent-encoded: left as it is, a server would be read out of the middle of it.
const RAW_IN_USER_INFO = /[/?#\s]/
const URL_FORM = /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)(\/[^?]*)?(?:\?(.*))?$/is
const BARE_NAME = /^[a-z][a-z0-9+.-]*$/i
const HOST_FORM = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/

/**
 * Take a URL apart. A bare name, as `memory` or `redis`, is a URL without the rest.
 *
 * @throws {@link ConfigError} when the text is not a URL, a port is not a number, or an escape is broken.
 */
export function parseConnectionUrl(text: string): ConnectionUrl {
  const trimmed = text.trim()
  if (BARE_NAME.test(trimmed)) return new ConnectionUrl(`${trimmed}://`, bareParts(trimmed))
  refuseRawUserInfo(trimmed)
  const match = URL_FORM.exec(trimmed)
  if (match === null) throw broken(text, 'the form is transport://user:password@host:port/path?option=value')
  const [, scheme = '', authority = '', path = '', query = ''] = match
  const at = authority.lastIndexOf('@')
  const userInfo = at < 0 ? '' : authority.slice(0, at)
  const colon = userInfo.indexOf(':')
  return new ConnectionUrl(trimmed, {
    scheme: scheme.toLowerCase(),
    username: present(decoded(colon < 0 ? userInfo : userInfo.slice(0, colon), text)),
    password: colon < 0 ? undefined : decoded(userInfo.slice(colon + 1), text),
    hosts: parseHosts(authority.slice(at + 1), text),
    path: decoded(path.slice(1), text),
    query: Object.fromEntries(new URLSearchParams(query)),
  })
}

/** Everything between the scheme and the last at sign is meant as user and password, unless it is a path. */
function refuseRawUserInfo(url: string): void {
  const start = url.indexOf('://') + 3
  const userInfo = url.slice(start, Math.max(start, url.lastIndexOf('@')))
  if (start < 3 || userInfo.startsWith('/') || !RAW_IN_USER_INFO.test(userInfo)) return
  throw broken(
    url,
    'a slash, question mark, hash or space in a user name or password is written %2F, %3F, %23 or %20, ' +
      'and an at sign in a path or option %40',
  )
}

/** The same URL with the last `+suffix` of its scheme moved to `driver`; `undefined` when it has none. */
export function withoutDriverSuffix(url: ConnectionUrl): ConnectionUrl | undefined {
  const plus = url.scheme.lastIndexOf('+')
  if (plus < 0) return undefined
  return new ConnectionUrl(url.text, {
    // eslint-disable-next-line @typescript-eslint/no-misused-spread -- the parts are wanted, not the class
    ...url,
    password: url.password,
    query: url.query,
    scheme: url.scheme.slice(0, plus),
    driver: url.scheme.slice(plus + 1),
  })
}

function bareParts(name: string): ConnectionParts {
  return {
    scheme: name.toLowerCase(),
    username: undefined,
    password: undefined,
    hosts: [],
    path: '',
    query: {},
  }
}

function parseHosts(text: string, url: string): readonly HostPort[] {
  if (text === '') return []
  return text.split(',').map((one) => parseHost(one, url))
}

function parseHost(text: string, url: string): HostPort {
  const match = HOST_FORM.exec(text)
  if (match === null) {
    // Without an `@` it may be a password.
    const hidden = text.replace(/:.*/s, ':********')
    throw broken(url.replace(text, hidden), `"${hidden}" is not host:port`)
  }
  const [, host = '', port = ''] = match
  const number = port === '' ? undefined : Number(port)
  if (number !== undefined && number > 65_535) throw broken(url, `port ${port} is above 65535`)
  return { host: decoded(host.replace(/^\[|\]$/g, ''), url), port: number }
}

function decoded(text: string, url: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw broken(url, 'a percent sign that is part of a name or password is written %25', cause)
  }
}

function present(text: string): string | undefined {
  return text === '' ? undefined : text
}

function broken(text: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`expected a broker or backend URL, got: "${maskUrl(text)}"; ${why}`, { cause })
}
