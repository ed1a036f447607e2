import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { ConfigError } from '../errors/errors.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

const ENDINGS = ['.ts', '.js', '.mts', '.mjs', '.cts', '.cjs']

/** Names of packages, folders relative to the working folder, or a function that gives them. */
export type TaskPackages = readonly string[] | (() => readonly string[])

/** A package or folder whose task file is loaded when tasks are needed. */
interface DiscoverySource {
  readonly packages: TaskPackages
  readonly relatedName: string
}

/** How tasks are discovered. */
export interface DiscoverOptions {
  /**
   * Name of the task file of a package, without its ending.
   *
   * @defaultValue `tasks`
   */
  readonly relatedName?: string
}

/** The modules that define an app's tasks; imported once, when a worker starts or somebody asks. */
export class TaskModules {
  readonly #sources: DiscoverySource[] = []

  /**
   * Note packages whose task file is to be imported.
   *
   * @param packages - Package names, or folders relative to the working folder.
   */
  discover(packages: TaskPackages, options: DiscoverOptions): void {
    refuseUnknown(options, { relatedName: true } satisfies KnownMembers<DiscoverOptions>, 'autodiscoverTasks')
    const { relatedName = 'tasks' } = options
    this.#sources.push({ packages, relatedName })
  }

  /**
   * Import the named modules, then the discovered ones, one after the other: their order is the order of the settings.
   *
   * @throws {@link ConfigError} that names the module, with the module's own error as its cause.
   */
  async load(names: readonly string[]): Promise<void> {
    for (const name of names) await importModule(toSpecifier(name), name)
    for (const source of this.#sources) {
      const packages = typeof source.packages === 'function' ? source.packages() : source.packages
      for (const name of packages) {
        const file = findTaskFile(folderOf(name), source.relatedName)
        if (file !== undefined) await importModule(pathToFileURL(file).href, file)
      }
    }
  }
}

/** Import a module. @throws {@link ConfigError} that names it, with its own error as the cause. */
export async function importModule(specifier: string, name: string): Promise<unknown> {
  try {
    return (await import(specifier)) as unknown
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`the module "${name}" could not be loaded: ${reason}`, { cause })
  }
}

/**
 * What to import for a path, a file beside the working folder with or without its ending, a package, or a dotted name as
 * Python writes it: `shop.tasks` is `./shop/tasks.ts`, or `./shop/tasks/index.ts`.
 *
 * @throws {@link ConfigError} when there is nothing of that name.
 */
export function toSpecifier(name: string): string {
  const path = resolve(name)
  const isFile = existsSync(path) && ENDINGS.some((ending) => path.endsWith(ending))
  const file = isFile ? path : findTaskFile(path, '')
  if (file !== undefined) return pathToFileURL(file).href
  if (name.startsWith('.') || isAbsolute(name)) return pathToFileURL(path).href
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'noop.js')).resolve(name)).href
  } catch (cause) {
    const dotted = dottedFile(name)
    if (dotted !== undefined) return pathToFileURL(dotted).href
    throw new ConfigError(`expected "${name}" to be a file of ${process.cwd()} or an installed package`, {
      cause,
    })
  }
}

function dottedFile(name: string): string | undefined {
  if (!/^[\w-]+(\.[\w-]+)+$/.test(name)) return undefined
  const path = resolve(name.replaceAll('.', '/'))
  return findTaskFile(path, '') ?? findTaskFile(path, 'index')
}

function findTaskFile(folder: string, relatedName: string): string | undefined {
  const base = relatedName === '' ? folder : join(folder, relatedName)
  return ENDINGS.map((ending) => base + ending).find((file) => existsSync(file))
}

/** The folder of a package of `node_modules`, or the folder of that name. */
function folderOf(name: string): string {
  const folder = resolve(name.replaceAll('.', name.includes('/') ? '.' : '/'))
  if (existsSync(resolve(name))) return resolve(name)
  if (existsSync(folder)) return folder
  try {
    return dirname(createRequire(join(process.cwd(), 'noop.js')).resolve(`${name}/package.json`))
  } catch (cause) {
    throw new ConfigError(`expected "${name}" to be a folder or an installed package`, { cause })
  }
}
