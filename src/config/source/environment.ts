import { addValue } from './from-object.js'
import type { LoadedSettings, WrittenValue } from './loaded-settings.js'
import { environmentName, findOption, lowerName, nearestName } from '../option/option-names.js'
import { ACCEPTED_OPTIONS } from '../option/option-table.js'
import type { Option } from '../option/option.js'
import { valueFromText } from '../value/from-text.js'

/** Variables by name, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Variables of Celery and its start scripts that are no settings. */
const NO_SETTINGS =
  /^(CELERY_(APP|BIN|CONFIG_MODULE|LOADER|TRACE_APP|LOG_.*|CREATE_.*|RDB_.*|BENCH.*|WORKER_REVOKE.*|CHDIR|USER|GROUP|NODES?|OPTS|CUSTOM_WORKER_POOL|SU.*)|CELERYD_(NODES|OPTS|LOG_(FILE|LEVEL)|PID_FILE|USER|GROUP|CHDIR|BIN|MULTI|SU.*)|CELERYBEAT_(OPTS|LOG_.*|PID_FILE|USER|GROUP|CHDIR|BIN|SU.*))$/

/**
 * The options that the environment sets: `LOVAGE_<OPTION>` for each, `CELERY_<OPTION>` and Celery's old names that
 * begin with `CELERY`, and `BROKER_URL`. Empty variables count as not set.
 *
 * @throws {@link ConfigError} when a value cannot be of its option's type.
 */
export function settingsFromEnvironment(env: Environment = process.env): LoadedSettings {
  const values = new Map<string, WrittenValue>()
  for (const [name, option] of ACCEPTED_OPTIONS) {
    const variable = variablesOf(name, option).find((candidate) => isSet(env[candidate]))
    const text = variable === undefined ? undefined : env[variable]
    if (variable === undefined || text === undefined) continue
    const value = valueFromText(option, text, variable)
    addValue(values, { name, option, style: 'any' }, { value, label: `${variable} (environment)` })
  }
  return { source: 'environment', values, host: {}, warnings: nearMisses(env) }
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== ''
}

/** The path of a settings module that a variable holds, as `CELERY_CONFIG_MODULE` does; `undefined` when it is not set. */
export function settingsFromEnvvar(variable: string, env: Environment = process.env): string | undefined {
  const path = env[variable]?.trim()
  return path === '' ? undefined : path
}

/** The variables that set an option, the one that wins first. */
export function variablesOf(name: string, option: Option): readonly string[] {
  const camels = [name, ...(option.aliases ?? [])]
  const old = (option.old ?? []).filter((variable) => /^CELERY|^BROKER_URL$/.test(variable))
  return [
    ...new Set([
      ...camels.map((camel) => environmentName(camel)),
      ...camels.map((camel) => `CELERY_${lowerName(camel).toUpperCase()}`),
      ...old,
    ]),
  ]
}

function nearMisses(env: Environment): readonly string[] {
  const warnings: string[] = []
  for (const variable of Object.keys(env)) {
    const bare = /^(?:LOVAGE_|(?=CELERY))(.+)$/.exec(variable)?.[1]
    if (bare === undefined || !isSet(env[variable]) || NO_SETTINGS.test(variable)) continue
    if (isKnown(variable, bare)) continue
    const near = nearestName(bare)
    if (near === undefined) continue
    const meant = variable.startsWith('LOVAGE_') ? environmentName(findOption(near)?.name ?? near) : near
    warnings.push(`environment: ${variable} is no setting; did you mean ${meant}?`)
  }
  return warnings
}

function isKnown(variable: string, bare: string): boolean {
  return variable.startsWith('LOVAGE_')
    ? findOption(bare.toLowerCase()) !== undefined
    : findOption(variable) !== undefined
}
