import { readFileSync } from 'node:fs'
import { tlsOf } from '../../../src/broker/tls-options.js'
import { ConfigError } from '../../../src/errors/errors.js'
import { textOption } from './options.js'

/** TLS options as Node's `tls.connect` takes them. */
export type Tls = Readonly<Record<string, unknown>>

// As libpq reads them; "prefer" promises nothing, so it is taken as what it falls back to.
const VERIFIED: Readonly<Record<string, boolean | undefined>> = {
  require: false,
  'no-verify': false,
  'verify-ca': true,
  'verify-full': true,
}
const FILES: readonly string[] = ['sslrootcert', 'sslcert', 'sslkey']
const PLAIN: ReadonlySet<string> = new Set(['disable', 'allow', 'prefer', 'false', '0'])

/**
 * How a connection is encrypted: `sslmode` with its files as in a URL of libpq, or `ssl`, which is `true` or an object of
 * Celery's or Node's TLS options. `undefined` for a plain connection.
 *
 * @throws {@link ConfigError} for an unknown mode or a file that cannot be read.
 */
export function serverTls(options: ReadonlyMap<string, unknown>): Tls | undefined {
  const tls = tlsOf(options)
  const mode = modeOf(options, tls)
  if (mode === undefined) return tls && { ...tls }
  const rejectUnauthorized = VERIFIED[mode]
  if (rejectUnauthorized === undefined) {
    throw new ConfigError(
      `expected option "sslmode" to be one of disable, ${Object.keys(VERIFIED).join(', ')}, got: "${mode}"`,
    )
  }
  return {
    ...tls,
    rejectUnauthorized,
    // The name of the host is not looked at by verify-ca.
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
    ...file(options, 'sslrootcert', 'ca'),
    ...file(options, 'sslcert', 'cert'),
    ...file(options, 'sslkey', 'key'),
  }
}

/** @returns `undefined` where `ssl` says everything. */
function modeOf(options: ReadonlyMap<string, unknown>, tls: object | undefined): string | undefined {
  const given = textOption(options, 'sslmode')
  const isNamed = FILES.some((name) => options.has(name))
  if (given !== undefined && options.has('ssl'))
    throw new ConfigError('the options "ssl" and "sslmode" say the same; drop one of the two')
  const isPlain = given === undefined ? options.has('ssl') && tls === undefined : PLAIN.has(given)
  if (isPlain && isNamed)
    throw new ConfigError('TLS is switched off and asked for by its files; drop one of the two')
  if (isPlain || (given === undefined && !isNamed)) return undefined
  // Files are named to be used.
  return given ?? 'verify-full'
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
