import type { BackendFactory } from '../backend/registry.js'
import { parseConnectionUrl } from '../broker/connection-url.js'
import { ConfigError } from '../errors/errors.js'
import { loadExport } from './load-export.js'

/**
 * What opens a backend in place of a built-in driver, as `overrideBackends` says for its scheme, or for the part of the
 * scheme before a `+`.
 *
 * @returns `undefined` where nothing is said.
 * @throws {@link ConfigError} for a module that does not load or has no such function.
 */
export async function overriddenBackend(
  overrides: Readonly<Record<string, unknown>>,
  url: string,
): Promise<BackendFactory | undefined> {
  const { scheme } = parseConnectionUrl(url)
  const setting = overrideOf(overrides, url)
  if (setting === undefined) return undefined
  const found = typeof setting === 'string' ? await loadExport(setting) : setting
  const factory: unknown =
    typeof found === 'object' && found !== null && 'createBackend' in found ? found.createBackend : found
  if (isFactory(factory)) return factory
  throw new ConfigError(
    `expected overrideBackends of "${scheme}" to be a function (url, options) => backend, an object with createBackend ` +
      `or a module that exports it, got: ${typeof setting === 'string' ? setting : typeof setting}`,
  )
}

/** What `overrideBackends` says for a URL; `undefined` where it says nothing. */
export function overrideOf(overrides: Readonly<Record<string, unknown>>, url: string): unknown {
  const { scheme } = parseConnectionUrl(url)
  return overrides[scheme] ?? overrides[scheme.split('+')[0] ?? scheme]
}

function isFactory(value: unknown): value is BackendFactory {
  return typeof value === 'function'
}
