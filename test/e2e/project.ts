import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { lovage, projectRoot, type Child, type ChildExit, type ChildOptions } from '../support/child.js'
import { tempFolder } from '../support/temp.js'

/** A user's project in a folder of its own, with the built package in its node_modules. */
export interface Project extends AsyncDisposable {
  readonly folder: string
  /** Absolute path of a file of the project. */
  file(name: string): string
  /** Start the command line in the project's folder. */
  start(args: readonly string[], options?: ChildOptions): Child
  /** Run the command line to its end. */
  run(args: readonly string[], options?: ChildOptions): Promise<ChildExit>
  /** Start a worker of `tasks` with text logs and wait until it claims. */
  worker(args?: readonly string[]): Promise<Child>
}

/** Tasks that every test can use. */
const TASKS = `
import { setTimeout as sleep } from 'node:timers/promises'
import { Lovage, Reject } from 'lovage'

export const app = new Lovage('shop', { lease: 2 })
export const add = app.task({ name: 'shop.add', params: ['x', 'y'] }, (x: number, y: number) => x + y)
export const nap = app.task('shop.nap', async (ms: number) => { await sleep(ms); return 'rested' })
export const stop = app.task({ name: 'shop.stop', bind: true }, async (self, ms: number) => {
  await sleep(ms, undefined, { signal: self.signal })
})
export const fail = app.task('shop.fail', () => { throw new RangeError('no such parcel') })
export const reject = app.task('shop.reject', () => { throw new Reject('damaged') })
`

/** Make a project with these files; `tasks.ts` has {@link TASKS} unless it is among them. */
export async function createProject(
  files: Readonly<Record<string, string>> = {},
  manifest: object = { type: 'module' },
): Promise<Project> {
  const folder = await tempFolder('e2e')
  const all = { 'package.json': JSON.stringify({ private: true, ...manifest }), 'tasks.ts': TASKS, ...files }
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(folder.file(name)), { recursive: true })
    await writeFile(folder.file(name), text)
  }
  await mkdir(folder.file('node_modules'), { recursive: true })
  await symlink(projectRoot, folder.file('node_modules', 'lovage'), 'junction')
  const start = (args: readonly string[], options: ChildOptions = {}): Child =>
    lovage(args, { cwd: folder.path, ...options })
  return {
    folder: folder.path,
    file: (name) => folder.file(name),
    start,
    run: (args, options) => start(args, options).exited,
    worker: async (args = []) => {
      const child = start(['-A', 'tasks', 'worker', '--log-format', 'text', ...args])
      await child.waitForLine('ready.')
      return child
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}
