import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

import { eventually } from '../conformance/time.js'
import { beatStores } from '../fault/fixture/fault-store.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { createProject, type Project } from './project.js'

const LIMIT_MS = 90_000

/** An app whose entry `tick` is due every half second and notes each of its runs with the task's id. */
function tasks(settings: string): string {
  return `
import { appendFileSync } from 'node:fs'
import { Lovage } from 'lovage'

export const app = new Lovage('clock', ${settings})
export const note = app.task({ name: 'clock.note', bind: true }, (self, word: string) => {
  appendFileSync(process.env.NOTES!, word + ' ' + self.request.id + '\\n')
})
app.addPeriodicTask(0.5, note.s('tick'), { name: 'tick' })
`
}

/** A project on one store, and what its tasks have noted. */
async function openClock(
  settings: string,
): Promise<Project & { readonly noted: (word: string) => readonly string[] }> {
  const project = await createProject({ 'tasks.ts': tasks(settings) })
  process.env['NOTES'] = project.file('notes')
  const noted = (word: string): readonly string[] => {
    try {
      const lines = readFileSync(project.file('notes'), 'utf8').trim().split('\n')
      return lines.filter((line) => line.startsWith(`${word} `))
    } catch {
      return []
    }
  }
  return { ...project, noted, [Symbol.asyncDispose]: () => project[Symbol.asyncDispose]() }
}

/** Stores that a beat's settings name; the file of the project where they name none. */
const places: readonly (readonly [store: string, settings: (folder: TempFolder) => string])[] = [
  ['SQLite', () => '{}'],
  ...beatStores(false)
    .filter(({ name }) => name !== 'SQLite')
    .map(
      (store) => [store.name, (folder: TempFolder) => JSON.stringify(store.settings(folder, false))] as const,
    ),
]

it(
  'lovage beat is taken over when it is killed, and sends each occurrence once',
  async () => {
    await using clock = await openClock('{}')
    const beat = ['-A', 'tasks', 'beat', '--log-format', 'text']
    await using worker = await clock.worker()
    await using first = clock.start(beat)
    await eventually(() => clock.noted('tick').length >= 2, 40_000)
    await using second = clock.start(beat)
    first.kill('SIGKILL')
    await first.exited
    const before = clock.noted('tick').length

    await eventually(() => clock.noted('tick').length >= before + 3, 40_000)
    second.kill('SIGTERM')
    expect((await second.exited).code).toBe(0)
    worker.kill('SIGTERM')
    await worker.exited

    const runs = clock.noted('tick')
    expect(new Set(runs).size).toBe(runs.length)
  },
  LIMIT_MS,
)

const EXTRA = ['add', 'extra', '--every', '0.3', '--task', 'clock.note', '--args', '["extra"]']

it.each(places)(
  'worker --beat sends what the code declares on %s, and what is added and removed while it goes on',
  async (_store, settings) => {
    await using folder = await tempFolder('beat')
    await using clock = await openClock(settings(folder))
    const beat = (...words: readonly string[]): ReturnType<Project['run']> =>
      clock.run(['-A', 'tasks', 'beat', ...words])
    await using worker = await clock.worker(['--beat'])
    await eventually(() => clock.noted('tick').length >= 1, 40_000)

    expect((await beat(...EXTRA)).code).toBe(0)
    await eventually(() => clock.noted('extra').length >= 2, 40_000)
    expect((await beat('remove', 'extra')).code).toBe(0)
    worker.kill('SIGTERM')
    expect((await worker.exited).code).toBe(0)

    const runs = clock.noted('tick')
    expect(new Set(runs).size).toBe(runs.length)
  },
  LIMIT_MS,
)

it(
  'lovage beat lists, pauses, resumes and runs entries of a beat that goes on',
  async () => {
    await using clock = await openClock('{}')
    const beat = (...words: readonly string[]): ReturnType<Project['run']> =>
      clock.run(['-A', 'tasks', 'beat', ...words])
    await using worker = await clock.worker(['--beat'])
    await eventually(() => clock.noted('tick').length >= 1, 40_000)

    expect(await beat(...EXTRA)).toMatchObject({ code: 0, stdout: 'Added extra.\n', stderr: '' })
    expect((await beat('pause', 'extra')).code).toBe(0)
    const listed: unknown = JSON.parse((await beat('list', '--json')).stdout)
    expect(listed).toMatchObject([
      { name: 'celery.backend_cleanup', paused: false },
      { name: 'extra', paused: true },
      { name: 'tick', paused: false },
    ])
    const paused = clock.noted('extra').length
    expect((await beat('run', 'extra')).code).toBe(0)
    await eventually(() => clock.noted('extra').length > paused, 40_000)
    expect((await beat('resume', 'extra')).code).toBe(0)
    await eventually(() => clock.noted('extra').length > paused + 2, 40_000)
    expect((await beat('remove', 'nothing')).code).not.toBe(0)
    worker.kill('SIGTERM')
    expect((await worker.exited).code).toBe(0)
  },
  LIMIT_MS,
)

it('lovage beat says what cannot mean anything here, and refuses a scheduler of Python', async () => {
  await using project = await createProject()
  await using beat = project.start(['-A', 'tasks', 'beat', '--log-format', 'text', '--max-interval', '300'], {
    env: { LOVAGE_BEAT_SYNC_EVERY: '5', LOVAGE_BEAT_SCHEDULER: 'redbeat.RedBeatScheduler' },
  })
  await beat.waitForLine('beat: leads')

  expect(beat.stderr).toMatch(
    /beatScheduler \(schedules are kept in the store; beatStore names another one\)/,
  )
  expect(beat.stderr).toMatch(/beatSyncEvery \(each occurrence is recorded as it is sent\)/)
  expect(beat.stderr).toMatch(/looks at the schedule every 2 s, whatever beatMaxLoopInterval says/)
  const refused = await project.run(['-A', 'tasks', 'beat', '-S', 'redbeat.RedBeatScheduler'])
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(/schedules are kept in the store; beatStore names another one/)
})

it('lovage beat next prints the next times of a line in a zone, and refuses a line that is none', async () => {
  await using project = await createProject()
  const { code, stdout } = await project.run(['beat', 'next', '0 8 1 * *', '--tz', 'Asia/Tokyo'])

  expect(code).toBe(0)
  const lines = stdout.trim().split('\n')
  expect(lines).toHaveLength(10)
  for (const line of lines) expect(line).toMatch(/-01T08:00:00\+09:00/)
  const refused = await project.run(['beat', 'next', '0 25 * * *'])
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(/25/)
})
