import { expect } from '@jest/globals'
import { createProject, type Project } from '../../e2e/project.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { Lovage } from '../../../src/index.js'

const tasks = (settings: ConfigInput): string => `
import { Lovage } from 'lovage'
export const app = new Lovage('shop', ${JSON.stringify(settings)})
export const add = app.task('shop.add', (x: number, y: number) => x + y)
export const now = app.task('shop.now', () => Date.now())
export const flaky = app.task({ name: 'shop.flaky', bind: true }, (self) => {
  if (self.request.retries < 2) throw self.retry({ countdown: { milliseconds: 50 } })
  return self.request.retries
})
export const fail = app.task('shop.fail', () => { throw new RangeError('no such parcel') })
`

/** A project with tasks, and an app of this process that calls them by name; `await using` ends both. */
export interface Shop extends AsyncDisposable {
  readonly app: Lovage
  readonly project: Project
}

/** Open one in a place of its own. */
export async function openShop(place: ConfigInput): Promise<Shop> {
  const settings = { ...place, lease: 2 }
  const project = await createProject({ 'tasks.ts': tasks(settings) })
  const app = new Lovage('shop', settings)
  return {
    app,
    project,
    [Symbol.asyncDispose]: async () => {
      await app.close()
      await project[Symbol.asyncDispose]()
    },
  }
}

/** Has a worker process of the command line run, retry and delay tasks, and reads their results here. */
export async function callsByCommandLine({ app, project }: Shop): Promise<void> {
  await using worker = await project.worker()

  const sum = await app.sendTask('shop.add', { args: [2, 3] })
  const retried = await app.sendTask('shop.flaky')
  const failed = await app.sendTask('shop.fail')
  const sentMs = Date.now()
  const later = await app.sendTask('shop.now', { countdown: { milliseconds: 400 } })
  const called = await project.run(['-A', 'tasks', 'call', 'shop.add', '-a', '[4, 4]', '--wait'])

  expect(await sum.get(20)).toBe(5)
  expect(await retried.get(20)).toBe(2)
  await expect(failed.get(20)).rejects.toThrow('no such parcel')
  expect(Number(await later.get(20)) - sentMs).toBeGreaterThanOrEqual(400)
  expect(called.stdout.trim()).toBe('8')
  worker.kill('SIGTERM')
  expect(await worker.exited).toMatchObject({ code: 0 })
}
