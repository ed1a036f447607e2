import { readFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { ConfigError } from '../errors/errors.js'
import { shownOption } from '../util/mask-members.js'
import { isRecord } from '../util/record.js'
import { adviceOn } from '../util/suggest.js'

/** TLS options one by one, as the query of a URL has them. */
export const SSL_OPTIONS: readonly string[] = [
  'ssl_ca_certs',
  'ssl_certfile',
  'ssl_keyfile',
  'ssl_cert_reqs',
  'ssl_check_hostname',
]

/** Celery's and its clients' words, by what Node calls them; the first three name files. */
const FILES: ReadonlyMap<string, 'ca' | 'cert' | 'key'> = new Map([
  ['ca_certs', 'ca'],
  ['certfile', 'cert'],
  ['keyfile', 'key'],
])
const WORDS: ReadonlyMap<string, string> = new Map([
  ['ca_data', 'ca'],
  ['server_hostname', 'servername'],
  ['keyfile_password', 'passphrase'],
  ['password', 'passphrase'],
])
/** Of `tls.connect`, what a connection to a server may be told. */
const OF_NODE: readonly string[] = [
  ...[
    'ca',
    'cert',
    'key',
    'pfx',
    'crl',
    'passphrase',
    'servername',
    'rejectUnauthorized',
    'checkServerIdentity',
  ],
  ...['ALPNProtocols', 'ciphers', 'ecdhCurve', 'sigalgs', 'minVersion', 'maxVersion', 'secureOptions'],
  ...['secureProtocol', 'secureContext', 'session', 'minDHSize', 'allowPartialTrustChain'],
]
const CHECKS = /^(?:ssl\.|VerifyMode\.)*(?:CERT_)?(NONE|OPTIONAL|REQUIRED)$/i
const ON: ReadonlySet<unknown> = new Set([true, 1, 'true', 'True', '1', 'yes', 'on'])
const OFF: ReadonlySet<unknown> = new Set([false, 0, 'false', 'False', '0', 'no', 'off', null, undefined])

/** TLS as a connection is opened with it. */
export interface TlsSettings extends SecureContextOptions {
  readonly rejectUnauthorized: boolean
  readonly checkServerIdentity?: () => undefined
  /** Name that the server's certificate has to have, where that is not its host. */
  readonly servername?: string
}

/**
 * What is asked of TLS by a secure scheme, the option `ssl` or one of {@link SSL_OPTIONS}: any of them asks for it.
 *
 * @param isSecure - Whether the scheme of the URL says so.
 * @returns `undefined` for a plain connection.
 * @throws {@link ConfigError} for what is unknown, contradictory or names a file that cannot be read.
 */
export function tlsOf(options: ReadonlyMap<string, unknown>, isSecure = false): TlsSettings | undefined {
  const words = tlsWords(options, isSecure)
  return words === undefined ? undefined : readTls(words)
}

/** The same as words without `ssl_`, unread. */
export function tlsWords(
  options: ReadonlyMap<string, unknown>,
  isSecure: boolean,
): ReadonlyMap<string, unknown> | undefined {
  const ssl = options.get('ssl')
  const single = SSL_OPTIONS.filter((name) => options.has(name)).map(
    (name) => [name, options.get(name)] as const,
  )
  const isAsked = isSecure || single.length > 0
  if (OFF.has(ssl)) {
    if (isAsked && ssl !== undefined && ssl !== null)
      throw new ConfigError(
        'TLS is switched off by the option "ssl" and asked for beside it; drop one of the two',
      )
    if (!isAsked) return undefined
  } else if (!ON.has(ssl) && !isRecord(ssl)) {
    throw new ConfigError(
      `expected option "ssl" to be true, false or an object of TLS options, got: ${shownOption('ssl', ssl)}`,
    )
  }
  const given = [...Object.entries(isRecord(ssl) ? ssl : {}), ...single]
  return new Map(given.map(([name, value]) => [name.replace(/^ssl_/, ''), value]))
}

function readTls(words: ReadonlyMap<string, unknown>): TlsSettings {
  const settings: Record<string, unknown> = { rejectUnauthorized: true }
  for (const [name, value] of words) {
    if (value === undefined || value === null) continue
    const file = FILES.get(name)
    if (file !== undefined) settings[file] = contentOf(name, value)
    else if (name === 'cert_reqs') settings['rejectUnauthorized'] = isChecked(value)
    else if (name === 'check_hostname') {
      if (!isOn(name, value)) settings['checkServerIdentity'] = () => undefined
    } else settings[nodeName(name)] = value
  }
  return { ...settings, rejectUnauthorized: settings['rejectUnauthorized'] !== false }
}

function nodeName(name: string): string {
  const meant = WORDS.get(name) ?? name
  if (OF_NODE.includes(meant)) return meant
  const known = [...FILES.keys(), ...WORDS.keys(), 'cert_reqs', 'check_hostname', ...OF_NODE]
  throw new ConfigError(`unknown TLS option "${name}"; ${adviceOn(name, known)}`)
}

/**
 * Whether the server's certificate is checked. A client that finds it optional checks it all the same, as Python does.
 *
 * @source Python 3.13, `ssl.CERT_OPTIONAL`.
 */
export function isChecked(value: unknown): boolean {
  if (typeof value === 'number' && value >= 0 && value <= 2) return value > 0
  const word = typeof value === 'string' ? CHECKS.exec(value)?.[1] : undefined
  if (word !== undefined) return word.toUpperCase() !== 'NONE'
  throw new ConfigError(
    `expected TLS option "cert_reqs" to be required, optional or none, got: ${JSON.stringify(value)}`,
  )
}

/** @throws {@link ConfigError} for what is neither on nor off. */
export function isOn(name: string, value: unknown): boolean {
  if (ON.has(value) || OFF.has(value)) return ON.has(value)
  throw new ConfigError(`expected TLS option "${name}" to be true or false, got: ${JSON.stringify(value)}`)
}

function contentOf(name: string, path: unknown): Buffer {
  if (typeof path !== 'string')
    throw new ConfigError(`expected TLS option "${name}" to be the path of a file, got: ${typeof path}`)
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ConfigError(`cannot read ${name} of the TLS options: ${path}`, { cause })
  }
}
