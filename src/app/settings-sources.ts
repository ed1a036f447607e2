import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import {
  settingsFromModule,
  settingsFromObject,
  type ObjectSourceOptions,
} from '../config/source/from-object.js'
import { loadIni } from '../config/source/ini.js'
import type { LoadedSettings } from '../config/source/loaded-settings.js'
import { settingsFromEnvvar } from '../config/source/environment.js'
import { ConfigError } from '../errors/errors.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** How `configFromObject` reads. */
export interface ConfigSourceOptions extends ObjectSourceOptions {
  /** Do nothing when the module does not exist. */
  readonly silent?: boolean
}

const SOURCE_OPTIONS = {
  namespace: true,
  source: true,
  silent: true,
} satisfies KnownMembers<ConfigSourceOptions>

/** Where settings come from: an object, the path of a module or ini file. */
export type SettingsSource = object | string

const MODULE_ENDINGS = ['', '.ts', '.js', '.mjs', '.cjs']

/**
 * Read settings from an object, an ini file (`./development.ini`) or a module (`./celeryconfig.js`, `./settings:Prod`).
 *
 * @throws `ConfigError` for a source that does not exist, or settings that do not fit.
 */
export async function readSettings(
  source: SettingsSource,
  options: ConfigSourceOptions = {},
): Promise<LoadedSettings | undefined> {
  refuseUnknown(options, SOURCE_OPTIONS, 'a source of settings')
  if (typeof source !== 'string') return settingsFromObject(source, options)
  if (source.endsWith('.ini')) return loadIni(source)
  return readModule(source, options)
}

/** Read the settings module that an environment variable names. */
export async function readSettingsOfEnvvar(
  name: string,
  options: ConfigSourceOptions = {},
): Promise<LoadedSettings | undefined> {
  refuseUnknown(options, SOURCE_OPTIONS, 'a source of settings')
  const path = settingsFromEnvvar(name)
  if (path !== undefined) return readSettings(path, options)
  if (options.silent === true) return undefined
  throw new ConfigError(`the environment variable "${name}" is not set; it should name a settings module`)
}

async function readModule(source: string, options: ConfigSourceOptions): Promise<LoadedSettings | undefined> {
  const { path, exported } = splitExport(source)
  const file = MODULE_ENDINGS.map((ending) => resolve(path + ending)).find((candidate) =>
    existsSync(candidate),
  )
  if (file === undefined) {
    if (options.silent === true) return undefined
    throw new ConfigError(`the settings module "${source}" does not exist`)
  }
  const namespace: unknown = await import(pathToFileURL(file).href)
  const found: unknown = exported === undefined ? namespace : Reflect.get(Object(namespace), exported)
  if (typeof found !== 'object' || found === null) {
    throw new ConfigError(`expected "${source}" to be an object of settings, got: ${String(found)}`)
  }
  return exported === undefined ? settingsFromModule(found, options) : settingsFromObject(found, options)
}

/** `./settings.js:Production` names one export; a drive letter is no export. */
export function splitExport(source: string): {
  readonly path: string
  readonly exported: string | undefined
} {
  const colon = source.lastIndexOf(':')
  if (colon <= 1) return { path: source, exported: undefined }
  return { path: source.slice(0, colon), exported: source.slice(colon + 1) }
}
