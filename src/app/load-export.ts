import { splitExport } from './settings-sources.js'
import { importModule, toSpecifier } from './task-modules.js'

/**
 * What a module exports under the name after a colon, `./routers.js:route`; the module itself where no name is given.
 *
 * @returns `undefined` where the module has no such export.
 * @throws `ConfigError` for a module that does not load.
 */
export async function loadExport(setting: string): Promise<unknown> {
  const { path, exported } = splitExport(setting)
  const namespace = await importModule(toSpecifier(path), path)
  return exported === undefined ? namespace : Reflect.get(Object(namespace), exported)
}
