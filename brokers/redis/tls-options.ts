import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { RedisOptions } from 'ioredis'
import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { ConfigError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'

/** Where a certificate, a key or an authority stands, in Celery's words and in its driver's. */
const TLS_FILES = [
  ['ca', 'ssl_ca_certs', 'ca_certs'],
  ['cert', 'ssl_certfile', 'certfile'],
  ['key', 'ssl_keyfile', 'keyfile'],
] as const

/**
 * The TLS options of a connection; nothing where there is no TLS.
 *
 * @throws `ConfigError` for a file that cannot be read.
 */
export function tlsOf(url: ConnectionUrl, options: ReadonlyMap<string, unknown>): RedisOptions {
  const ssl = options.get('ssl')
  if (!url.scheme.startsWith('rediss') && ssl !== true && !isRecord(ssl)) return {}
  const settings = new Map<string, unknown>([...options, ...Object.entries(isRecord(ssl) ? ssl : {})])
  const tls: ConnectionOptions = {}
  for (const [name, ...words] of TLS_FILES) {
    const path = words.map((word) => settings.get(word)).find((value) => typeof value === 'string')
    if (path !== undefined) tls[name] = contentOf(path)
  }
  const isUnchecked = isSet(settings, ['ssl_cert_reqs', 'cert_reqs'], /none/i)
  const isUnnamed = isSet(settings, ['ssl_check_hostname', 'check_hostname'], /^(false|0|no)$/i)
  return {
    tls: {
      ...tls,
      rejectUnauthorized: !isUnchecked,
      ...(isUnnamed && { checkServerIdentity: () => undefined }),
    },
  }
}

/** Whether an option, by one of its names, has such a value; Python writes `ssl.CERT_NONE` and `CERT_NONE` alike. */
function isSet(settings: ReadonlyMap<string, unknown>, names: readonly string[], value: RegExp): boolean {
  return names.some((name) => {
    const given = settings.get(name)
    return (typeof given === 'string' || typeof given === 'boolean') && value.test(String(given))
  })
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError(`cannot read ${path}, which the TLS options name`, { cause: error })
  }
}
