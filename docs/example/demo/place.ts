import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** A project in a temporary folder, as a user has one after `npm install lovage`. */
export class Place {
  readonly folder: string
  readonly #children = new Set<ChildProcess>()

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), 'lovage-demo-'))
    await mkdir(join(folder, 'node_modules'))
    await symlink(root, join(folder, 'node_modules', 'lovage'), 'junction')
    await writeFile(join(folder, 'package.json'), '{ "name": "demo", "private": true, "type": "module" }\n')
    await copyFile(join(root, 'docs', 'example', 'demo', 'tasks.ts'), join(folder, 'tasks.ts'))
    return new Place(folder)
  }

  /** URL of the embedded file that the project has by default. */
  get embeddedUrl(): string {
    return `sqlite:///${join(this.folder, '.lovage', 'queue.sqlite')}`
  }

  /** Start the command line in the project; its lines are handed over as they come. */
  lovage(args: readonly string[], onLine: (line: string) => void = () => {}): ChildProcess {
    const bin = join(root, 'dist', 'src', 'cli', 'bin.js')
    const child = spawn(process.execPath, [bin, ...args], { cwd: this.folder, env: cleanEnvironment() })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
    return child
  }

  /** Run a command to its end; resolves with what it printed. */
  async run(args: readonly string[]): Promise<string> {
    const lines: string[] = []
    const child = this.lovage(args, (line) => lines.push(line))
    const [code] = await once(child, 'close')
    if (code !== 0)
      throw new Error(`lovage ${args.join(' ')} ended with ${String(code)}:\n${lines.join('\n')}`)
    return lines.join('\n')
  }

  /** Kill what still runs and remove the folder. */
  async remove(): Promise<void> {
    for (const child of this.#children) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** The demo shows the defaults, whatever the shell it runs in has set. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(LOVAGE|CELERY|BROKER_URL|NODE_OPTIONS)/.test(name),
  )
  return Object.fromEntries(kept)
}
