import { readFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { ConfigError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'

/** What a TLS socket is opened with. */
export interface TlsSettings extends SecureContextOptions {
  readonly rejectUnauthorized: boolean
  /** Name that the server's certificate has to have, where that is not its host. */
  readonly servername?: string
}

const FILES = { ca_certs: 'ca', certfile: 'cert', keyfile: 'key' } as const

/**
 * Celery's TLS options (`ca_certs`, `certfile`, `keyfile`, `cert_reqs`), or Node's own.
 *
 * @throws {@link ConfigError} when a file cannot be read.
 */
export function readTls(ssl: unknown): TlsSettings {
  if (!isRecord(ssl)) return { rejectUnauthorized: true }
  const { cert_reqs, ca_certs: _ca, certfile: _cert, keyfile: _key, server_hostname, ...own } = ssl
  const files = Object.entries(FILES).flatMap(([name, as]) => {
    const path = ssl[name]
    return typeof path === 'string' ? [[as, readFile(path, name)] as const] : []
  })
  // Python's ssl.CERT_NONE is 0.
  const isLax = cert_reqs === 0 || (typeof cert_reqs === 'string' && /none/i.test(cert_reqs))
  return {
    rejectUnauthorized: !isLax,
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
