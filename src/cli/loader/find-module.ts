import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'

import { ConfigError } from '../../errors/errors.js'
import { isRecord } from '../../util/record.js'
import { suggest } from '../../util/suggest.js'

/** Where an app is, as `-A` says it. */
export interface AppPlace {
  /** Absolute path of the module. */
  readonly file: string
  /** The export named after the colon, possibly dotted. */
  readonly exportName: string | undefined
}

const EXTENSIONS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs']
const FOLDER_FILES = ['index', 'app', 'tasks', 'lovage', 'celery']

/**
 * Find the module that `-A` names: a path with or without extension, a folder, a dotted name or a package.
 *
 * @param spec - `path[:export]`.
 * @throws ConfigError with the nearest file when there is none.
 */
export function findModule(spec: string, cwd: string): AppPlace {
  const { place, exportName } = splitSpec(spec)
  const file = asPath(resolve(cwd, place)) ?? asDotted(place, cwd) ?? asPackage(place, cwd)
  if (file !== undefined) return { file, exportName }
  const owner = exportName === undefined ? asDottedOwner(place, cwd) : undefined
  if (owner !== undefined) return owner
  throw notFound(place, cwd)
}

/** Files in a folder that look like an app, for a message to someone who named none. */
export function likelyModules(cwd: string): readonly string[] {
  return FOLDER_FILES.filter((name) => name !== 'index').flatMap((name) => {
    const file = withExtension(join(cwd, name))
    return file === undefined ? [] : [`./${relative(cwd, file)}`]
  })
}

function splitSpec(spec: string): { readonly place: string; readonly exportName: string | undefined } {
  // A single letter before the colon is a drive of Windows.
  const match = /^(.{2,}?):([A-Za-z_$][\w$.]*)$/.exec(spec)
  if (match?.[1] === undefined) return { place: spec, exportName: undefined }
  return { place: match[1], exportName: match[2] }
}

function asPath(path: string): string | undefined {
  if (isFile(path)) return path
  const completed = withExtension(path)
  if (completed !== undefined) return completed
  return isFolder(path) ? inFolder(path) : undefined
}

function withExtension(path: string): string | undefined {
  return EXTENSIONS.map((extension) => path + extension).find(isFile)
}

function inFolder(folder: string): string | undefined {
  for (const name of FOLDER_FILES) {
    const file = withExtension(join(folder, name))
    if (file !== undefined) return file
  }
  const main = manifestOf(folder)?.['main']
  return typeof main === 'string' ? asPath(resolve(folder, main)) : undefined
}

/** `shop.tasks`, as a Python user writes it, is `shop/tasks`. */
function asDotted(place: string, cwd: string): string | undefined {
  if (!/^[\w$-]+(\.[\w$-]+)+$/.test(place)) return undefined
  return asPath(resolve(cwd, ...place.split('.')))
}

/** `shop.tasks.app` may be the export `app` of `shop/tasks`. */
function asDottedOwner(place: string, cwd: string): AppPlace | undefined {
  const dot = place.lastIndexOf('.')
  if (dot < 1 || extname(place) === place) return undefined
  const owner = place.slice(0, dot)
  const file = asDotted(owner, cwd) ?? (/^[\w$-]+$/.test(owner) ? asPath(resolve(cwd, owner)) : undefined)
  return file === undefined ? undefined : { file, exportName: place.slice(dot + 1) }
}

function asPackage(place: string, cwd: string): string | undefined {
  if (place.startsWith('.') || place.startsWith('/')) return undefined
  try {
    return createRequire(join(cwd, 'package.json')).resolve(place)
  } catch {
    return esmOnlyPackage(place, cwd)
  }
}

/** The entry of a package whose `exports` name no condition that `require` knows. */
function esmOnlyPackage(place: string, cwd: string): string | undefined {
  const parts = place.split('/')
  const name = parts.slice(0, place.startsWith('@') ? 2 : 1).join('/')
  const subpath = ['.', ...parts.slice(name.split('/').length)].join('/')
  for (let folder = cwd; ; folder = dirname(folder)) {
    const home = join(folder, 'node_modules', name)
    const exported = manifestOf(home)?.['exports']
    const target = isRecord(exported) && subpath in exported ? exported[subpath] : exported
    const file = conditional(target)
    if (file !== undefined) return asPath(resolve(home, file))
    if (dirname(folder) === folder) return undefined
  }
}

function conditional(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (!isRecord(target)) return undefined
  return conditional(target['node']) ?? conditional(target['import']) ?? conditional(target['default'])
}

function manifestOf(folder: string): Readonly<Record<string, unknown>> | undefined {
  const file = join(folder, 'package.json')
  if (!isFile(file)) return undefined
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return isRecord(manifest) ? manifest : undefined
}

function notFound(place: string, cwd: string): ConfigError {
  const path = resolve(cwd, place)
  const near = nearFile(path)
  const advice = near === undefined ? otherAdvice(cwd) : `; did you mean ${shown(near, cwd)}?`
  return new ConfigError(`No module ${place} (looked for ${path} and for a package of that name)${advice}`)
}

function nearFile(path: string): string | undefined {
  const folder = dirname(path)
  if (!isFolder(folder)) {
    const near = isFolder(dirname(folder))
      ? suggest(basename(folder), readdirSync(dirname(folder)))
      : undefined
    return near === undefined ? undefined : asPath(join(dirname(folder), near, basename(path)))
  }
  const names = readdirSync(folder).filter(
    (name) => EXTENSIONS.includes(extname(name)) || isFolder(join(folder, name)),
  )
  const stem = basename(path, extname(path))
  const sameStem = names.find((name) => basename(name, extname(name)) === stem)
  const near = sameStem ?? suggest(basename(path), names) ?? nearStem(stem, names)
  return near === undefined ? undefined : join(folder, near)
}

function nearStem(stem: string, names: readonly string[]): string | undefined {
  const near = suggest(
    stem,
    names.map((name) => basename(name, extname(name))),
  )
  return near === undefined ? undefined : names.find((name) => basename(name, extname(name)) === near)
}

function otherAdvice(cwd: string): string {
  const likely = likelyModules(cwd)
  return likely.length === 0 ? '' : `; this folder has ${likely.join(', ')}`
}

function shown(path: string, cwd: string): string {
  return `./${relative(cwd, path)}`
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}
