import { readFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { ConfigError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'

/** What a TLS socket is opened with. */
export interface TlsSettings extends SecureContextOptions {
  readonly rejectUnauthorized: boolean
  readonly checkServerIdentity?: () => undefined
  /** Name that the server's certificate has to have, where that is not its host. */
  readonly servername?: string
}

const FILES = { ca_certs: 'ca', certfile: 'cert', keyfile: 'key' } as const

/** TLS options as a URL's query has them. */
export const SSL_OPTIONS: readonly string[] = [
  'ssl_ca_certs',
  'ssl_certfile',
  'ssl_keyfile',
  'ssl_cert_reqs',
  'ssl_check_hostname',
]

/** What was set about TLS: the option `ssl`, with what the URL says over it. */
export function sslOf(options: ReadonlyMap<string, unknown>): unknown {
  const ssl = options.get('ssl')
  const single = SSL_OPTIONS.filter((name) => options.has(name)).map(
    (name) => [name.slice('ssl_'.length), options.get(name)] as const,
  )
  return single.length === 0 ? ssl : { ...(isRecord(ssl) && ssl), ...Object.fromEntries(single) }
}

/**
 * Celery's TLS options (`ca_certs`, `certfile`, `keyfile`, `cert_reqs`, `check_hostname`), or Node's own.
 *
 * @throws {@link ConfigError} when a file cannot be read.
 */
export function readTls(ssl: unknown): TlsSettings {
  if (!isRecord(ssl)) return { rejectUnauthorized: true }
  const { cert_reqs, ca_certs: _ca, certfile: _cert, keyfile: _key, server_hostname, ...rest } = ssl
  const { check_hostname, ...own } = rest
  const files = Object.entries(FILES).flatMap(([name, as]) => {
    const path = ssl[name]
    return typeof path === 'string' ? [[as, readFile(path, name)] as const] : []
  })
  // Python's ssl.CERT_NONE is 0.
  const isLax = cert_reqs === 0 || (typeof cert_reqs === 'string' && /none/i.test(cert_reqs))
  const isUnnamed = /^(false|0|no)$/i.test(String(check_hostname))
  return {
    rejectUnauthorized: !isLax,
    ...(isUnnamed && { checkServerIdentity: () => undefined }),
    ...(typeof server_hostname === 'string' && { servername: server_hostname }),
    ...own,
    ...Object.fromEntries(files),
  }
}

function readFile(path: string, name: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ConfigError(`cannot read ${name} of the TLS options: ${path}`, { cause })
  }
}
