import { ConfigError } from '../errors/errors.js'
import { adviceOn } from '../util/suggest.js'
import type { ConnectionUrl } from './connection-url.js'

/**
 * What the user set for one driver: the URL's query over the transport options.
 *
 * @param known - Every name the driver understands or knowingly ignores.
 * @throws {@link ConfigError} for any other name, with the one that was probably meant.
 */
export function driverOptions(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
  known: readonly string[],
): ReadonlyMap<string, unknown> {
  const options = new Map(Object.entries({ ...transportOptions, ...url.query }))
  for (const name of options.keys()) {
    if (known.includes(name)) continue
    throw new ConfigError(`unknown option "${name}" for ${url.scheme}://; ${adviceOn(name, known)}`)
  }
  return options
}

/** An option that is on or off, as a boolean or as the text of a URL's query. @throws {@link ConfigError} otherwise. */
export function booleanOption(
  options: ReadonlyMap<string, unknown>,
  name: string,
  fallback: boolean,
): boolean {
  const value = options.get(name)
  if (value === undefined) return fallback
  if (value === true || value === 'true' || value === '1') return true
  if (value === false || value === 'false' || value === '0') return false
  throw new ConfigError(`expected option "${name}" to be true or false, got: ${JSON.stringify(value)}`)
}
