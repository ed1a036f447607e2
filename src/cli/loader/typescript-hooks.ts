/**
 * Module hooks that let `import` read TypeScript, on every Node version the same way.
 *
 * Node itself only takes types away, from 22.18 on; decorators, enums and an import of `./x.js` that means `./x.ts`
 * need more than that. They run in Node's own thread for hooks.
 */
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { LoadFnOutput, LoadHook, ResolveHook } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { isRecord } from '../../util/record.js'
import nodeModule from 'node:module'
import { ConfigError } from '../../errors/errors.js'

const TYPESCRIPT = /\.([cm]?ts|tsx)$/
const RELATIVE = /^(\.{1,2}\/|\/|file:)/
const SOURCE_OF: ReadonlyMap<string, readonly string[]> = new Map([
  ['.js', ['.ts', '.tsx']],
  ['.mjs', ['.mts']],
  ['.cjs', ['.cts']],
])
const COMPLETIONS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '/index.ts', '/index.js']

/** Find the file; in TypeScript's way (`./x.js` and `./x` may be `./x.ts`) when Node finds none. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!RELATIVE.test(specifier) || !isNotFound(error)) throw error
    for (const candidate of candidates(specifier)) {
      const found = await attempt(() => next(candidate, context))
      if (found !== undefined) return found
    }
    throw error
  }
}

/** What `find` resolves with, `undefined` when there is no such file. */
async function attempt<Found>(find: () => Found | Promise<Found>): Promise<Found | undefined> {
  try {
    return await find()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Read a TypeScript file as JavaScript; leave every other file to Node. */
export const load: LoadHook = async (url, context, next) => {
  if (!url.startsWith('file:') || !TYPESCRIPT.test(new URL(url).pathname)) return next(url, context)
  const path = fileURLToPath(url)
  const source = await readFile(path, 'utf8')
  const format = formatOf(path, source)
  const code = await toJavaScript(source, path, format)
  const loaded: LoadFnOutput = { format, source: code, shortCircuit: true }
  return loaded
}

function candidates(specifier: string): readonly string[] {
  const extension = /\.[cm]?js$/.exec(specifier)?.[0]
  const sources = extension === undefined ? undefined : SOURCE_OF.get(extension)
  if (extension !== undefined && sources !== undefined) {
    const stem = specifier.slice(0, -extension.length)
    return sources.map((ending) => stem + ending)
  }
  const stem = specifier.replace(/\/$/, '')
  return COMPLETIONS.map((ending) => stem + ending)
}

function isNotFound(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'ERR_UNSUPPORTED_DIR_IMPORT'
}

/** A file with `import` or `export` is an ES module whatever its package says, as Node has it for ambiguous ones. */
function formatOf(path: string, source: string): 'module' | 'commonjs' {
  if (path.endsWith('.mts')) return 'module'
  if (path.endsWith('.cts')) return 'commonjs'
  if (/^\s*(import|export)\b/m.test(source)) return 'module'
  return packageType(dirname(path)) === 'module' ? 'module' : 'commonjs'
}

function packageType(folder: string): unknown {
  const file = join(folder, 'package.json')
  if (existsSync(file)) {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isRecord(manifest) ? manifest['type'] : undefined
  }
  const parent = dirname(folder)
  return parent === folder ? undefined : packageType(parent)
}

/**
 * TypeScript as JavaScript with an inline source map.
 *
 * Where esbuild's binary does not fit the machine (a `node_modules` copied from another system), Node's own
 * type stripping stands in.
 *
 * @throws ConfigError when neither is there.
 */
async function toJavaScript(source: string, path: string, format: 'module' | 'commonjs'): Promise<string> {
  const esbuild = await import('esbuild').catch((cause: unknown) => stripOnly(source, path, cause))
  if (typeof esbuild === 'string') return esbuild
  const { code } = await esbuild.transform(source, {
    loader: path.endsWith('x') ? 'tsx' : 'ts',
    format: format === 'module' ? 'esm' : 'cjs',
    target: `node${process.versions.node}`,
    sourcefile: path,
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: false } },
  })
  return code
}

function stripOnly(source: string, path: string, cause: unknown): string {
  // Absent in Node before 22.13, whatever its types say.
  const strip: typeof nodeModule.stripTypeScriptTypes | undefined = nodeModule.stripTypeScriptTypes
  if (typeof strip === 'function') return strip(source)
  throw new ConfigError(`${path} is TypeScript, and the package "esbuild" cannot be loaded`, { cause })
}
