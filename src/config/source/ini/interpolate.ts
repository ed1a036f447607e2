import { ConfigError } from '../../../errors/errors.js'
import type { Environment } from '../environment.js'

/** Where `%(key)s` and `${VARIABLE}` are looked up. */
export interface InterpolationScope {
  /** The raw text of a key in the section, its defaults, `here` and `__file__`. */
  readonly lookup: (key: string) => string | undefined
  readonly env: Environment
  /** File and line, for errors. */
  readonly place: string
}

const DEEPEST = 10

/**
 * A value with `%(key)s` replaced by other values, `%%` by a per cent sign and `${VARIABLE}` by the environment
 * (`${VARIABLE:-text}` for text where it is not set). A lone per cent sign stays, as URLs have them.
 *
 * @source Python 3, `configparser.py`, `BasicInterpolation`; PasteDeploy, `loadwsgi.py`, `NicerConfigParser`.
 * @throws {@link ConfigError} when a key or variable is missing, or values name each other in a circle.
 */
export function interpolate(text: string, scope: InterpolationScope, depth = 0): string {
  if (depth > DEEPEST) throw new ConfigError(`${scope.place}: %(…)s names itself, directly or in a circle`)
  return text.replace(
    /%%|%\(([^)]+)\)s|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g,
    (match, key?: string, variable?: string, fallback?: string) => {
      if (key !== undefined) return interpolate(keyText(key, scope), scope, depth + 1)
      if (variable !== undefined) return variableText(variable, fallback, scope)
      return match === '%%' ? '%' : match
    },
  )
}

function keyText(key: string, { lookup, place }: InterpolationScope): string {
  const text = lookup(key) ?? lookup(key.toLowerCase())
  if (text !== undefined) return text
  throw new ConfigError(`${place}: %(${key})s names a key that is neither in the section nor in [DEFAULT]`)
}

function variableText(
  variable: string,
  fallback: string | undefined,
  { env, place }: InterpolationScope,
): string {
  const text = env[variable] ?? fallback
  if (text !== undefined) return text
  throw new ConfigError(`${place}: the environment has no variable ${variable}`)
}
