import { Lovage } from '../../app/app.js'
import { currentApp } from '../../app/default-app.js'
import { ConfigError } from '../../errors/errors.js'
import { isRecord } from '../../util/record.js'
import { suggest } from '../../util/suggest.js'

/**
 * The app among the exports of a module: the one asked for, else `app`, else the only Lovage instance, else the default
 * app when the module defined tasks on it.
 *
 * @param place - The module as the user knows it, for messages.
 * @throws ConfigError that names what the module exports instead.
 */
export function chooseApp(exported: unknown, exportName: string | undefined, place: string): Lovage {
  const names = isNamespace(exported) ? exported : {}
  if (exportName !== undefined) return asked(names, exportName, place)
  const direct = [names['app'], memberOf(names['default'], 'app'), names['default']]
  const app = direct.find((value) => value instanceof Lovage)
  if (app !== undefined) return app
  return only(instances(names), names, place)
}

function only(
  found: ReadonlyMap<Lovage, string>,
  names: Readonly<Record<string, unknown>>,
  place: string,
): Lovage {
  const [first] = found.keys()
  if (first !== undefined && found.size === 1) return first
  if (found.size > 1) {
    const list = [...found.values()].join(', ')
    const [example] = found.values()
    throw new ConfigError(
      `${place} exports several apps: ${list}; name one, as in -A ${place}:${example ?? ''}`,
    )
  }
  if (currentApp().tasks.size > 0) return currentApp()
  throw new ConfigError(`${place} exports no Lovage app${foreign(names)}; export it as \`app\``)
}

function asked(names: Readonly<Record<string, unknown>>, exportName: string, place: string): Lovage {
  const value = exportName.split('.').reduce<unknown>(memberOf, names)
  if (value instanceof Lovage) return value
  const apps = [...instances(names).values()]
  const near = suggest(exportName, apps) ?? (apps.length === 1 ? apps[0] : undefined)
  const advice = near === undefined ? foreign(names) : `; did you mean ${place}:${near}?`
  const what = value === undefined ? 'has no export' : 'has no Lovage app in its export'
  throw new ConfigError(`${place} ${what} "${exportName}"${advice}`)
}

/** Each instance once, under the first name it is exported by. */
function instances(names: Readonly<Record<string, unknown>>): ReadonlyMap<Lovage, string> {
  const found = new Map<Lovage, string>()
  for (const [name, value] of Object.entries(names)) {
    if (value instanceof Lovage && !found.has(value)) found.set(value, name)
  }
  return found
}

/** An object that has an app's members, but is none of ours, comes from a second copy of the package. */
function foreign(names: Readonly<Record<string, unknown>>): string {
  const twin = Object.entries(names).find(
    ([, value]) => isRecord(value) && 'sendTask' in value && 'conf' in value,
  )
  if (twin === undefined) return ''
  return ` ("${twin[0]}" is one of another copy of lovage: run the command line of that copy, as with npx)`
}

function memberOf(value: unknown, name: string): unknown {
  return isNamespace(value) ? value[name] : undefined
}

function isNamespace(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
