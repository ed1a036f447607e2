import type { Config, ConfigInput } from './config.js'
import { checkCombinations } from './combinations.js'
import { settingsFromObject } from './source/from-object.js'
import { OPTIONS } from './option/option-table.js'
import type { WrittenValue } from './source/loaded-settings.js'
import { isConfig, resolvedName } from './resolved-name.js'
import { readOption } from './value/read-option.js'
import { ConfigError } from '../errors/errors.js'

/**
 * Every option resolved: checked, defaults filled in, lengths of time in milliseconds. The result is frozen.
 *
 * @param input - Options in any of their spellings.
 * @throws {@link ConfigError} for an unknown name, a value that does not fit, or a combination that cannot work.
 */
export function resolveConfig(input: ConfigInput = {}): Config {
  return resolveWritten(settingsFromObject(input).values)
}

/** As {@link resolveConfig}, for values that were read from sources. */
export function resolveWritten(written: ReadonlyMap<string, WrittenValue>): Config {
  const resolved = new Map<string, unknown>()
  for (const [name, option] of OPTIONS) {
    const given = written.get(name)
    resolved.set(name, readOption(option, given?.value, given?.label ?? name))
  }
  fillIn(resolved)
  checkCombinations((name) => resolved.get(name))
  const config: Record<string, unknown> = {}
  for (const [name, option] of OPTIONS) config[resolvedName(name, option)] = resolved.get(name)
  if (!isConfig(config)) throw new ConfigError('the option table and the type Config disagree')
  return Object.freeze(config)
}

/** Options that follow another one when they are not set; the other may follow a third. */
function fillIn(resolved: Map<string, unknown>): void {
  const valueOf = (name: string): unknown => {
    const value = resolved.get(name)
    if (value !== undefined) return value
    const option = OPTIONS.get(name)
    return option?.sameAs === undefined ? option?.derive?.(valueOf) : valueOf(option.sameAs)
  }
  for (const name of OPTIONS.keys()) resolved.set(name, valueOf(name))
}
