import { readdirSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { pathToFileURL } from 'node:url'

// The drivers of the package have to be there for the default app, which no module of the user's imports.
import '../../built-in-drivers.js'

import type { Lovage } from '../../app/app.js'
import { currentApp, setDefaultApp } from '../../app/default-app.js'
import { readSettings } from '../../app/settings-sources.js'
import { loadIni } from '../../config/source/ini.js'
import type { LoadedSettings } from '../../config/source/loaded-settings.js'
import { findSettingsFile } from '../../config/source/settings-file.js'
import { ConfigError } from '../../errors/errors.js'
import { iniPath } from '../arguments.js'
import { chooseApp } from './choose-app.js'
import { findModule } from './find-module.js'
import { enableTypeScript, showTypeScriptStacks } from './typescript.js'

/** Which app, and what is set on top of its own settings. */
export interface AppRequest {
  /** An app of the program that runs the command line: nothing has to be found. */
  readonly app: Lovage | undefined
  /** As `-A` has it. Without it the ini file's `app`, else the default app. */
  readonly spec: string | undefined
  /** Absolute, possibly with `#section`. */
  readonly iniFile: string | undefined
  /** As `--config` has it. */
  readonly configModule: string | undefined
  readonly cwd: string
  /** Settings that win over all others. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** An app that is ready for a command. */
export interface LoadedApp {
  readonly app: Lovage
  /** Its module as the user knows it; `undefined` for the default app. */
  readonly place: string | undefined
  /** What was odd about the settings, one sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Find, import and configure the app of a command: its own settings, then the ini file, then `--config` or
 * `lovage.config.*`, then options.
 *
 * @throws ConfigError for a module that is not there, does not load or has no app, and for settings that do not fit.
 */
export async function loadApp(request: AppRequest): Promise<LoadedApp> {
  const ini = request.iniFile === undefined ? undefined : loadIni(request.iniFile)
  const named = request.app === undefined ? namedApp(request, ini) : undefined
  const configModule = configModuleOf(request)
  if (ini !== undefined || configModule !== undefined) enableTypeScript()
  const app = request.app ?? (named === undefined ? currentApp() : await importApp(named.spec, named.folder))
  setDefaultApp(app)
  const sources = [ini, await configSource(configModule, request.cwd)].filter(
    (source) => source !== undefined,
  )
  if (sources.length > 0) app.conf.setSource(merged(sources))
  if (Object.keys(request.settings).length > 0) app.conf.update(request.settings)
  const place = named === undefined ? undefined : shownPlace(named.spec, named.folder, request.cwd)
  return { app, place, warnings: app.conf.warnings() }
}

/**
 * The file of the app, not loaded; `undefined` for the default app.
 *
 * @throws ConfigError for a module that is not there.
 */
export function appFile(request: AppRequest): string | undefined {
  const ini = request.iniFile === undefined ? undefined : loadIni(request.iniFile)
  const named = namedApp(request, ini)
  return named === undefined ? undefined : findModule(named.spec, named.folder).file
}

interface NamedApp {
  readonly spec: string
  /** What a relative path is relative to. */
  readonly folder: string
}

function namedApp({ spec, iniFile, cwd }: AppRequest, ini: LoadedSettings | undefined): NamedApp | undefined {
  if (spec !== undefined) return { spec, folder: cwd }
  const inIni = ini?.host['app']
  if (typeof inIni !== 'string' || inIni === '' || iniFile === undefined) return undefined
  return { spec: inIni, folder: dirname(iniFile) }
}

const TYPESCRIPT = /\.[cm]?tsx?$/

function hasTypeScript(folder: string): boolean {
  return readdirSync(folder).some((name) => name === 'tsconfig.json' || TYPESCRIPT.test(name))
}

async function importApp(spec: string, folder: string): Promise<Lovage> {
  const { file, exportName } = findModule(spec, folder)
  const isTypeScript = TYPESCRIPT.test(file)
  // A JavaScript app may have tasks in TypeScript.
  if (isTypeScript || hasTypeScript(folder) || hasTypeScript(dirname(file))) enableTypeScript()
  if (isTypeScript) showTypeScriptStacks()
  const place = `./${relative(folder, file)}`
  return chooseApp(await importModule(file, place), exportName, place)
}

async function importModule(file: string, place: string): Promise<unknown> {
  try {
    const loaded: unknown = await import(pathToFileURL(file).href)
    return loaded
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    throw new ConfigError(`${place} could not be loaded: ${reason}`, { cause })
  }
}

/** What `--config` names, else the settings file of the working folder unless an ini file stands for it. */
function configModuleOf({ configModule, iniFile, cwd }: AppRequest): string | undefined {
  if (configModule !== undefined || iniFile !== undefined) return configModule
  return findSettingsFile(cwd)
}

async function configSource(
  configModule: string | undefined,
  cwd: string,
): Promise<LoadedSettings | undefined> {
  if (configModule === undefined) return undefined
  if (/\.ini(#|$)/.test(configModule)) return loadIni(iniPath(configModule, cwd))
  return readSettings(configModule)
}

/** A later source wins, option by option. */
function merged(sources: readonly LoadedSettings[]): LoadedSettings {
  return {
    source: sources.map(({ source }) => source).join(', '),
    values: new Map(sources.flatMap(({ values }) => [...values])),
    host: Object.fromEntries(sources.flatMap(({ host }) => Object.entries(host))),
    warnings: sources.flatMap(({ warnings }) => warnings),
  }
}

function shownPlace(spec: string, folder: string, cwd: string): string {
  return relative(cwd, findModule(spec, folder).file)
}
