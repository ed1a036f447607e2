import nodeModule from 'node:module'

import { ConfigError } from '../../errors/errors.js'

/**
 * TypeScript as JavaScript with an inline source map.
 *
 * Where esbuild's binary does not fit the machine (a `node_modules` copied from another system), Node's own
 * type stripping stands in.
 *
 * @throws ConfigError when neither is there.
 */
export async function toJavaScript(
  source: string,
  path: string,
  format: 'module' | 'commonjs',
): Promise<string> {
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
