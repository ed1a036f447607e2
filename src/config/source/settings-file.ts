import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'

import { ConfigError } from '../../errors/errors.js'
import { settingsFromModule } from './from-object.js'
import type { LoadedSettings } from './loaded-settings.js'

const NAMES = ['ts', 'js', 'mjs', 'cjs'].map((ending) => `lovage.config.${ending}`)

/** The settings file of a folder, `lovage.config.*`, if it has one. */
export function findSettingsFile(folder: string): string | undefined {
  return NAMES.map((name) => join(folder, name)).find((file) => existsSync(file))
}

/**
 * The settings of `lovage.config.*` in the working folder, read at once: the settings of an app are asked for without a promise.
 *
 * @throws {@link ConfigError} for a file that does not load, or not without a promise.
 */
export function readSettingsFile(folder: string = process.cwd()): LoadedSettings | undefined {
  const file = findSettingsFile(folder)
  if (file === undefined) return undefined
  return settingsFromModule(loadNow(file), { source: basename(file) })
}

function loadNow(file: string): object {
  try {
    // Node's own loader: that of a test runner reads no ES modules this way.
    const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)
    const loaded: unknown = require(file)
    return typeof loaded === 'object' && loaded !== null ? loaded : { default: loaded }
  } catch (cause) {
    const name = basename(file)
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    throw new ConfigError(
      `${name} of the working folder could not be loaded: ${reason}; where it has to be waited for, ` +
        `load it before the app is used: await app.configFromObject("./${name}")`,
      { cause },
    )
  }
}
