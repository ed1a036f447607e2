import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

import type { Child } from '../support/child.js'
import { createProject, type Project } from './project.js'

const LIMIT_MS = 60_000

let project: Project
let worker: Child

beforeAll(async () => {
  project = await createProject()
  worker = await project.worker()
}, LIMIT_MS)

afterAll(async () => {
  await worker.stop()
  await project[Symbol.asyncDispose]()
}, LIMIT_MS)

async function id(args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await project.run(['-A', 'tasks', 'call', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

describe('lovage call and result', () => {
  it(
    'a call prints its id, and the result its value',
    async () => {
      const task = await id(['shop.add', '--args', '[5, 10]'])
      const result = await project.run(['-A', 'tasks', 'result', task])

      expect(task).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
      expect(result).toMatchObject({ code: 0, stdout: '15\n', stderr: '' })
    },
    LIMIT_MS,
  )

  it(
    'keyword arguments, an own id and waiting in one command',
    async () => {
      const result = await project.run([
        '-A',
        'tasks',
        'call',
        'shop.add',
        '-k',
        '{"x": 1, "y": 2}',
        '--wait',
        '20',
      ])

      expect(result).toMatchObject({ code: 0, stdout: '3\n' })
    },
    LIMIT_MS,
  )

  it(
    'with --json both print one JSON object',
    async () => {
      const called = await project.run([
        '-A',
        'tasks',
        'call',
        'shop.add',
        '-a',
        '[1, 1]',
        '--task-id',
        'mine',
        '--json',
      ])
      const result = await project.run(['-A', 'tasks', 'result', 'mine', '--json'])

      expect(JSON.parse(called.stdout)).toEqual({ id: 'mine', task: 'shop.add' })
      expect(JSON.parse(result.stdout)).toMatchObject({ id: 'mine', state: 'SUCCESS', result: 2 })
    },
    LIMIT_MS,
  )

  it(
    'a countdown delays the task, and --timeout 0 looks once',
    async () => {
      const task = await id(['shop.add', '-a', '[1, 1]', '--countdown', '1h'])
      const result = await project.run(['-A', 'tasks', 'result', task, '--timeout', '0'])

      expect(result.code).toBe(75)
      expect(result.stderr).toContain('is not ready')
      expect(result.stderr.trim().split('\n')).toHaveLength(1)
    },
    LIMIT_MS,
  )

  it(
    'a failure prints its stack and exits with 1',
    async () => {
      const task = await id(['shop.fail'])
      const result = await project.run(['-A', 'tasks', 'result', task])
      const traceback = await project.run(['-A', 'tasks', 'result', task, '--traceback'])
      const json = await project.run(['-A', 'tasks', 'result', task, '--json'])

      expect(result).toMatchObject({ code: 1, stdout: '' })
      expect(result.stderr).toMatch(/^FAILURE ValueError: no such parcel/)
      expect(result.stderr).toContain('tasks.ts:')
      expect(traceback.code).toBe(1)
      expect(traceback.stdout).toContain('tasks.ts:')
      expect(JSON.parse(json.stdout)).toMatchObject({ state: 'FAILURE', error: { args: ['no such parcel'] } })
    },
    LIMIT_MS,
  )

  it(
    'a mistyped task name is refused with a suggestion, and sent with --force',
    async () => {
      const refused = await project.run(['-A', 'tasks', 'call', 'shop.ad', '-a', '[1, 1]'])
      const short = await project.run(['-A', 'tasks', 'call', 'nap', '-a', '[1]'])
      const forced = await project.run([
        '-A',
        'tasks',
        'call',
        'shop.ad',
        '-a',
        '[1, 1]',
        '--force',
        '--queue',
        'other',
      ])

      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toContain('did you mean shop.add?')
      expect(short.stderr).toContain('did you mean shop.nap?')
      expect(forced.code).toBe(0)
    },
    LIMIT_MS,
  )

  it(
    'a name far from every task is sent: another program may know it',
    async () => {
      const task = await id(['python.tasks.resize', '-a', '["a.png"]', '--queue', 'python'])

      expect(task).not.toBe('')
    },
    LIMIT_MS,
  )

  it.each([
    [['shop.add', '-a', '1, 2'], '--args is not JSON'],
    [['shop.add', '-a', '{"x": 1}'], '--args must be a JSON array'],
    [['shop.add', '-a', '[1, 2]', '--priority', '10'], '--priority must be a whole number from 0 to 9'],
    [['shop.add', '-a', '[1, 2]', '--countdown', 'soon'], '--countdown must be seconds'],
    [['shop.add', '-a', '[1, 2]', '--countdown', '1', '--eta', '2030-01-01'], 'exclude each other'],
    [['shop.add', '-a', '[1]'], 'shop.add'],
  ])(
    'refuses %j with one line and exit code 2',
    async (args, message) => {
      const result = await project.run(['-A', 'tasks', 'call', ...args])

      expect(result).toMatchObject({ code: 2, stdout: '' })
      expect(result.stderr).toContain(message)
      expect(result.stderr.trim().split('\n')).toHaveLength(1)
    },
    LIMIT_MS,
  )
})

describe('lovage shell', () => {
  it(
    'a piped script awaits results and prints values',
    async () => {
      const input =
        'result = await add.delay(1, 2)\nresult.taskName\nawait result.get()\nconst late = {\n  a: app.main }\nlate\n'

      const result = await project.run(['-A', 'tasks', 'shell'], { input })

      expect(result).toMatchObject({ code: 0, stderr: '' })
      expect(result.stdout.trim().split('\n').slice(1)).toEqual(['shop.add', '3', "{ a: 'shop' }"])
    },
    LIMIT_MS,
  )

  it(
    'an error ends the script with its stack and exit code 1',
    async () => {
      const result = await project.run(['-A', 'tasks', 'shell', '--without-tasks'], { input: '1\nadd\n2\n' })

      expect(result).toMatchObject({ code: 1, stdout: '1\n' })
      expect(result.stderr).toContain('add is not defined')
    },
    LIMIT_MS,
  )
})
