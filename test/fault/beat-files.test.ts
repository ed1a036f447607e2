import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import Database from 'libsql'
import { createProject, type Project } from '../e2e/project.js'

const LIMIT_MS = 120_000
const LINE_MS = 40_000
const FILE = 'celerybeat-schedule.sqlite'

/** An app whose broker and backend hold no schedules, as RabbitMQ with rpc: they are in the local file. */
const ELSEWHERE = `
import { Lovage } from 'lovage'

export const app = new Lovage('clock', { broker: 'bare://', backend: false })
app.brokers.register({
  schemes: ['bare'],
  load: async () => {
    const inner = await app.brokers.open('memory://bare')
    const bare = new Proxy(inner, {
      get: (target, key) => {
        const value = key === 'schedules' ? undefined : Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    return { createBroker: () => bare }
  },
})
export const tick = app.task('clock.tick', () => 'tock')
app.addPeriodicTask(0.5, tick.s(), { name: 'tick' })
`

/** The same on the embedded default, whose one file holds messages and schedules. */
const EMBEDDED = `
import { Lovage } from 'lovage'

export const app = new Lovage('clock')
export const tick = app.task('clock.tick', () => 'tock')
app.addPeriodicTask(0.5, tick.s(), { name: 'tick' })
`

const BEAT = ['-A', 'tasks', 'beat', '--log-format', 'text']

/** Let a beat make its file, and stop it; everything is in the one file then. */
async function makeFile(project: Project, path: string): Promise<void> {
  await using beat = project.start(BEAT)
  await beat.waitForLine('Sending due task tick', LINE_MS)
  beat.kill('SIGTERM')
  expect((await beat.exited).code).toBe(0)
  const database = new Database(path)
  database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
  database.close()
}

/** Spoil every page after the first two, which name the tables. */
function spoilPages(path: string): void {
  const bytes = readFileSync(path)
  bytes.fill(0xee, 4096 * 2)
  writeFileSync(path, bytes)
}

const damages: readonly (readonly [what: string, spoil: (path: string) => void])[] = [
  [
    'is no database',
    (path) => writeFileSync(path, 'not a database at all, but long enough to be read as one\n'.repeat(40)),
  ],
  [
    'was cut off in the middle',
    (path) => {
      truncateSync(path, 5_000)
    },
  ],
  ['has pages that say nothing', spoilPages],
]

describe('a beat whose schedule file', () => {
  it.each(damages)(
    '%s keeps it aside, says so and goes on',
    async (_what, spoil) => {
      await using project = await createProject({ 'tasks.ts': ELSEWHERE })
      await makeFile(project, project.file(FILE))
      spoil(project.file(FILE))

      await using beat = project.start(BEAT)
      await beat.waitForLine('Sending due task tick', LINE_MS)

      await beat.waitForLine('only one beat is safe', LINE_MS)
      const line = await beat.waitForLine(/the schedule file .* is damaged/, LINE_MS)
      expect(line).toContain(project.file(FILE))
      const aside = readdirSync(project.folder).filter((name) => name.startsWith(`${FILE}.damaged-`))
      expect(aside.length).toBeGreaterThan(0)
      expect(line).toContain(aside[0])
      beat.kill('SIGTERM')
      expect((await beat.exited).code).toBe(0)
    },
    LIMIT_MS,
  )

  it(
    'cannot be opened says which and why, and goes on when it can',
    async () => {
      await using project = await createProject({ 'tasks.ts': ELSEWHERE })
      await using beat = project.start([...BEAT, '--schedule', 'state/beat'])

      const line = await beat.waitForLine(
        /cannot open the SQLite file .*beat\.sqlite: its folder does not exist/,
      )
      expect(line).toContain(project.file('state/beat.sqlite'))
      await mkdir(project.file('state'))
      await beat.waitForLine('Sending due task tick', LINE_MS)
    },
    LIMIT_MS,
  )
})

describe('a beat on a file that holds messages too', () => {
  it.each(damages.slice(0, 1))(
    'that %s ends with an error that names it, and leaves it as it is',
    async (_what, spoil) => {
      await using project = await createProject({ 'tasks.ts': EMBEDDED })
      const path = project.file('.lovage/queue.sqlite')
      await makeFile(project, path)
      spoil(path)
      const before = readFileSync(path)

      const { code, stderr } = await project.run(BEAT)

      expect(code).not.toBe(0)
      expect(stderr).toContain(path)
      expect(readFileSync(path).equals(before)).toBe(true)
      expect(readdirSync(project.file('.lovage')).filter((name) => name.includes('damaged'))).toEqual([])
    },
    LIMIT_MS,
  )

  it(
    'that is a folder says which',
    async () => {
      await using project = await createProject({ 'tasks.ts': EMBEDDED })
      mkdirSync(project.file('.lovage/queue.sqlite'), { recursive: true })
      await using beat = project.start(BEAT)

      expect(await beat.waitForLine(/cannot open/, LINE_MS)).toContain(project.file('.lovage/queue.sqlite'))
    },
    LIMIT_MS,
  )
})
