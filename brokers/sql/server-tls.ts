import { readFileSync } from 'node:fs'
import { ConfigError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'
import { textOption } from './target-options.js'

/** TLS options as Node's `tls.connect` takes them. */
export type Tls = Readonly<Record<string, unknown>>

// As libpq reads them; "prefer" promises nothing, so it is taken as what it falls back to.
const VERIFIED: Readonly<Record<string, boolean | undefined>> = {
  require: false,
  'no-verify': false,
  'verify-ca': true,
  'verify-full': true,
}
const PLAIN: ReadonlySet<string> = new Set(['disable', 'allow', 'prefer', 'false', '0'])

/**
 * How a connection is encrypted: `sslmode` with its files as in a URL of libpq, or `ssl`, which is `true` or an object of
 * Node's TLS options. `undefined` for a plain connection.
 *
 * @throws {@link ConfigError} for an unknown mode or a file that cannot be read.
 */
export function serverTls(options: ReadonlyMap<string, unknown>): Tls | undefined {
  const ssl = options.get('ssl')
  if (isRecord(ssl)) return ssl
  const mode = textOption(options, 'sslmode') ?? (ssl === undefined ? 'disable' : sslSwitch(ssl))
  if (PLAIN.has(mode)) return undefined
  const rejectUnauthorized = VERIFIED[mode]
  if (rejectUnauthorized === undefined) {
    throw new ConfigError(
      `expected option "sslmode" to be one of disable, ${Object.keys(VERIFIED).join(', ')}, got: "${mode}"`,
    )
  }
  return {
    rejectUnauthorized,
    // The name of the host is not looked at by verify-ca.
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
    ...file(options, 'sslrootcert', 'ca'),
    ...file(options, 'sslcert', 'cert'),
    ...file(options, 'sslkey', 'key'),
  }
}

function sslSwitch(value: unknown): string {
  if (value === true || value === 'true' || value === '1') return 'verify-full'
  if (value === false || value === 'false' || value === '0') return 'disable'
  throw new ConfigError(`expected option "ssl" to be true, false or an object of TLS options`)
}

function file(options: ReadonlyMap<string, unknown>, name: string, key: string): Record<string, string> {
  const path = textOption(options, name)
  if (path === undefined) return {}
  try {
    return { [key]: readFileSync(path, 'utf8') }
  } catch (cause) {
    throw new ConfigError(`the file of option "${name}" cannot be read: ${path}`, { cause })
  }
}
