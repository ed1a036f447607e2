import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { projectRoot, run } from '../support/child.js'
import { packedProject, readManifest, type Manifest, type PackedProject } from '../support/packed-project.js'

/** Names that the README and the guides import; a smaller entry would break them. */
const clientNames = ['AsyncResult', 'Lovage', 'TimeoutError']

/** Node brings SQLite itself from 22.13. */
const nodeHasSqlite = isBuiltin('node:sqlite')

const sqlitePackages = nodeHasSqlite ? [] : ['libsql']

const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc')

describe('the packed package', () => {
  let project: PackedProject
  let manifest: Manifest

  beforeAll(async () => {
    manifest = await readManifest()
    project = await packedProject(['@types/node@22', ...sqlitePackages])
  }, 240_000)

  afterAll(async () => {
    await project[Symbol.asyncDispose]()
  })

  it('holds every file that the exports map and bin name', () => {
    const named = [...Object.values(manifest.exports), manifest.bin]
      .flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.values(entry)))
      .map((path) => normalize(path))

    expect(named.filter((path) => !project.files.includes(path))).toEqual([])
  })

  it('exports every entry of the build', () => {
    const entries = project.files.filter((path) =>
      /^dist\/src\/(index|driver|(worker|testing)\/index)\.js$/.test(path),
    )
    const exported = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [] : [normalize(entry['default'] ?? '')],
    )

    expect(exported).toEqual(expect.arrayContaining(entries))
  })

  it('has types for every exported module', () => {
    const untyped = Object.entries(manifest.exports)
      .filter(([path]) => path !== './package.json')
      .filter(([, entry]) => typeof entry === 'string' || entry['types'] === undefined)

    expect(untyped).toEqual([])
  })

  it('holds the library, its sources and the published suites, and nothing else', () => {
    const wanted =
      /^((dist\/)?(src|brokers|backends|test\/conformance)\/|(README|CHANGELOG)\.md$|LICENSE$|package\.json$)/
    const unwanted = /\.test\.|tsbuildinfo/

    expect(project.files.filter((path) => !wanted.test(path) || unwanted.test(path))).toEqual([])
  })

  it('maps every module to a source that is in it', async () => {
    const maps = project.files.filter((path) => path.endsWith('.map'))
    const sources = await Promise.all(
      maps.map(async (path) => {
        const text = await readFile(join(project.path, 'node_modules/lovage', path), 'utf8')
        const [, source] = /"sources":\["([^"]+)"/.exec(text) ?? []
        return join(dirname(path), source ?? 'missing')
      }),
    )

    expect(maps.length).toBeGreaterThan(0)
    expect(sources.filter((source) => !project.files.includes(source))).toEqual([])
  })

  it('is imported as an ES module, every part of it', async () => {
    const paths = Object.keys(manifest.exports).filter((path) => path !== './package.json')
    const imports = paths.map((path) => `await import('${path.replace('.', 'lovage')}')`)
    const source = `${imports.join('\n')}\nimport * as lovage from 'lovage'\nconsole.log(Object.keys(lovage).join())`

    const exit = await project.run('every-part.mjs', source)

    expect(exit).toMatchObject({ code: 0, stderr: '' })
    expect(exit.stdout.trim().split(',')).toEqual(expect.arrayContaining(clientNames))
  })

  it('is loaded by require()', async () => {
    const source = `const { ${clientNames.join(', ')} } = require('lovage')\nconsole.log(typeof Lovage)`

    const exit = await project.run('required.cjs', source)

    expect(exit).toMatchObject({ code: 0, stdout: 'function\n' })
  })

  it('runs a task, after which the process ends by itself', async () => {
    const source = `
      import { Lovage } from 'lovage'
      const app = new Lovage('shop', { broker: 'memory://', backend: 'memory://', taskAlwaysEager: true })
      const add = app.task('shop.add', (x, y) => x + y)
      const result = await add.delay(2, 3)
      console.log(add(1, 2), await result.get())
      await app.close()`

    const exit = await project.run('eager.mjs', source)

    expect(exit).toMatchObject({ code: 0, stdout: '3 5\n', stderr: '' })
  })

  it('opens nothing when it is imported and an app is made', async () => {
    const source = `
      // A file that Node still closes after reading a module is no handle of ours.
      const open = () => process.getActiveResourcesInfo().filter((name) => !name.includes('Req'))
      // Whoever asks whether they are terminals creates these.
      void [process.stdin, process.stdout, process.stderr]
      const before = open().length
      const { Lovage } = await import('lovage')
      const app = new Lovage('shop', { broker: 'memory://' })
      app.task('shop.add', (x, y) => x + y)
      console.log(open().length - before)`

    const exit = await project.run('handles.mjs', source)

    expect(exit).toMatchObject({ code: 0, stdout: '0\n' })
  })

  it('has a command that says its version', async () => {
    const exit = await run(process.execPath, ['node_modules/.bin/lovage', '--version'], { cwd: project.path })

    expect(exit).toMatchObject({ code: 0, stdout: expect.stringContaining(manifest.version) })
  })

  it('compiles in a strict TypeScript project that checks its declarations too', async () => {
    const parts = Object.keys(manifest.exports).filter((path) => path !== './package.json')
    const imports = parts.map(
      (path, index) => `import * as part${index} from '${path.replace('.', 'lovage')}'`,
    )
    await project.write(
      'shop.ts',
      `${imports.join('\n')}
      import { Lovage, type AsyncResult } from 'lovage'
      const app = new Lovage('shop', { broker: 'memory://' })
      export const add = app.task('shop.add', (x: number, y: number) => x + y)
      const result: AsyncResult<number> = await add.delay(1, 2)
      export const sum: number = await result.get({ timeout: { seconds: 3 } })
      // @ts-expect-error: an argument of another type
      await add.delay('1', 2)
      export const parts = [${parts.map((_path, index) => `part${index}`).join(', ')}]`,
    )
    await project.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          target: 'es2023',
          module: 'nodenext',
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          noEmit: true,
          types: ['node'],
        },
        files: ['shop.ts'],
      }),
    )

    const exit = await run(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: project.path })

    expect(exit.stdout).toBe('')
    expect(exit.code).toBe(0)
  }, 60_000)
})
