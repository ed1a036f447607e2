import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { node, projectRoot, run, type ChildExit, type ChildOptions } from './child.js'
import { tempFolder, type TempFolder } from './temp.js'

/** An empty project into which the packed package was installed, as a user of npm has it. */
export interface PackedProject extends AsyncDisposable {
  /** Absolute path of the project. */
  readonly path: string
  /** What the tarball holds, as paths from the package's root. */
  readonly files: readonly string[]
  /** Write a file of the project and run it with the Node of this test. */
  run(name: string, source: string, options?: ChildOptions): Promise<ChildExit>
  /** Write a file of the project. */
  write(name: string, source: string): Promise<void>
}

/** Pack the built package and install it, with `packages` beside it, into an empty project. */
export async function packedProject(packages: readonly string[] = []): Promise<PackedProject> {
  const folder = await tempFolder('package')
  const { filename, files } = await packInto(folder.path)
  const write = (name: string, source: string): Promise<void> => writeFile(folder.file(name), source)
  await write('package.json', JSON.stringify({ name: 'shop', private: true, type: 'module' }))
  await npm(folder, ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`, ...packages])
  return {
    path: folder.path,
    files,
    write,
    run: async (name, source, options) => {
      await write(name, source)
      return node(folder.file(name), [], { cwd: folder.path, ...options }).exited
    },
    [Symbol.asyncDispose]: folder.remove,
  }
}

/** A tarball and what it holds. */
export interface Packed {
  readonly filename: string
  readonly files: readonly string[]
}

/** Pack the built package into a folder. */
export async function packInto(folder: string): Promise<Packed> {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout, stderr } = await run('npm', args, { cwd: projectRoot })
  const reports: unknown = JSON.parse(stdout)
  const [report] = Array.isArray(reports) ? (reports as unknown[]) : []
  if (!isReport(report)) throw new Error(`npm pack said: ${stdout}${stderr}`)
  return { filename: report.filename, files: report.files.map((file) => file.path) }
}

interface PackReport {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

function isReport(value: unknown): value is PackReport {
  return typeof value === 'object' && value !== null && 'filename' in value && 'files' in value
}

async function npm(folder: TempFolder, args: readonly string[]): Promise<void> {
  const exit = await run('npm', args, { cwd: folder.path, timeoutMs: 180_000 })
  if (exit.code !== 0) throw new Error(`npm ${args.join(' ')} failed: ${exit.stdout}${exit.stderr}`)
}

/** The repository's own `package.json`. */
export async function readManifest(): Promise<Manifest> {
  const manifest: unknown = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'))
  if (!isManifest(manifest)) throw new Error('package.json has no exports')
  return manifest
}

/** What tests look at of `package.json`. */
export interface Manifest {
  readonly version: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
}

function isManifest(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && 'exports' in value && 'version' in value
}
