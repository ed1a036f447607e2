import type { RedisOptions } from 'ioredis'
import { SSL_OPTIONS, tlsOf } from '../../src/broker/tls-options.js'
import { ConfigError } from '../../src/errors/errors.js'
import { parsedJson } from '../../src/util/parsed-json.js'
import { isRecord } from '../../src/util/record.js'
import { adviceOn } from '../../src/util/suggest.js'

/** Of redis-py, what has nothing to steer here is taken and left alone. */
const IDLE: readonly string[] = [
  'socket_timeout',
  'socket_connect_timeout',
  'socket_keepalive',
  'retry_on_timeout',
  'decode_responses',
]
const KNOWN: readonly string[] = ['username', 'password', 'ssl', ...SSL_OPTIONS, ...IDLE]

/**
 * The account and the TLS of the sentinels, which are their own: those of the servers are not used there.
 *
 * @param given - The option `sentinel_kwargs`: an object, or its JSON.
 * @param isSecure - Whether TLS to the servers is asked for.
 * @throws `ConfigError` for what is unknown, and for a password that would travel in the clear unsaid.
 */
export function sentinelAccount(given: unknown, isSecure: boolean): RedisOptions {
  const options = new Map(Object.entries(membersOf(given)))
  for (const name of options.keys()) {
    if (KNOWN.includes(name)) continue
    throw new ConfigError(`unknown member "${name}" of option "sentinel_kwargs"; ${adviceOn(name, KNOWN)}`)
  }
  const tls = tlsOf(options)
  const password = text(options, 'password')
  if (isSecure && password !== undefined && tls === undefined && !options.has('ssl')) {
    throw new ConfigError(
      'TLS is asked for, and sentinel_kwargs has a password; say there whether the sentinels speak TLS: ssl true or false',
    )
  }
  const username = text(options, 'username')
  return {
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls !== undefined && { sentinelTLS: tls }),
  }
}

function membersOf(given: unknown): Readonly<Record<string, unknown>> {
  if (given === undefined || given === null) return {}
  const members: unknown = typeof given === 'string' ? parsedJson(given) : given
  if (isRecord(members)) return members
  throw new ConfigError('expected option "sentinel_kwargs" to be an object, or its JSON')
}

function text(options: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = options.get(name)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new ConfigError(`expected member "${name}" of option "sentinel_kwargs" to be text`)
}
