import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

import { createProject, type Project } from './project.js'

const LIMIT_MS = 60_000

let project: Project

beforeAll(async () => {
  project = await createProject()
})

afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

async function send(count: number, queue: string): Promise<void> {
  const input = `await Promise.all(Array.from({ length: ${count} }, () => add.applyAsync([1, 1], { queue: '${queue}' }))).then(() => undefined)`
  expect(await project.run(['-A', 'tasks', 'shell'], { input })).toMatchObject({ code: 0, stderr: '' })
}

describe('lovage purge', () => {
  it(
    'refuses on a pipe without --force, and prints the count with it',
    async () => {
      await send(3, 'celery')

      const refused = await project.run(['-A', 'tasks', 'purge'])
      const done = await project.run(['-A', 'tasks', 'purge', '-f'])
      const again = await project.run(['-A', 'tasks', 'purge', '--force', '--json'])

      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toContain('--force')
      expect(done).toMatchObject({ code: 0, stdout: 'Purged 3 messages from celery.\n' })
      expect(JSON.parse(again.stdout)).toEqual({ purged: 0, queues: { celery: 0 } })
    },
    LIMIT_MS,
  )

  it(
    '-Q names the queues, -X leaves some out',
    async () => {
      await send(1, 'a')
      await send(2, 'b')

      const onlyB = await project.run(['-A', 'tasks', 'purge', '-f', '-Q', 'a,b', '-X', 'a'])
      const unknown = await project.run(['-A', 'tasks', 'purge', '-f', '-X', 'celry'])

      expect(onlyB.stdout).toBe('Purged 2 messages from b.\n')
      expect(unknown.code).toBe(2)
      expect(unknown.stderr).toContain('did you mean celery?')
    },
    LIMIT_MS,
  )
})

describe('lovage migrate', () => {
  it(
    'prints a plan, makes the tables, and has nothing to do the second time',
    async () => {
      await using fresh = await createProject()

      const plan = await fresh.run(['-A', 'tasks', 'migrate', '--plan'])
      const first = await fresh.run(['-A', 'tasks', 'migrate', '--json'])
      const second = await fresh.run(['-A', 'tasks', 'migrate'])

      expect(plan).toMatchObject({ code: 0 })
      expect(plan.stdout.toLowerCase()).toContain('create table')
      expect(JSON.parse(first.stdout)).toEqual([
        {
          store: expect.stringContaining('.lovage/queue.sqlite'),
          done: expect.arrayContaining([expect.any(String)]),
        },
      ])
      expect(second).toMatchObject({ code: 0, stdout: '' })
      expect(second.stderr).toContain('is up to date')
    },
    LIMIT_MS,
  )

  it(
    'a store without tables has nothing to migrate',
    async () => {
      const result = await project.run(['-A', 'tasks', '-b', 'memory://', 'migrate'])

      expect(result).toMatchObject({ code: 0, stdout: '' })
    },
    LIMIT_MS,
  )
})

describe('lovage dlq', () => {
  it(
    'lists, shows, replays and drops what was set aside',
    async () => {
      await using own = await createProject()
      const worker = await own.worker()
      await own.run(['-A', 'tasks', 'call', 'shop.reject', '--task-id', 'one'])
      await own.run(['-A', 'tasks', 'call', 'shop.reject', '--task-id', 'two'])
      await own.run(['-A', 'tasks', 'result', 'two', '--timeout', '20'])
      await worker.stop()

      const list = await own.run(['-A', 'tasks', 'dlq', 'list', '--json'])
      const table = await own.run(['-A', 'tasks', 'dlq', 'list'])
      const shown = await own.run(['-A', 'tasks', 'dlq', 'show', 'one'])
      const careless = await own.run(['-A', 'tasks', 'dlq', 'replay'])
      const replayed = await own.run(['-A', 'tasks', 'dlq', 'replay', 'one', 'three'])
      const unasked = await own.run(['-A', 'tasks', 'dlq', 'purge'])
      const dropped = await own.run(['-A', 'tasks', 'dlq', 'purge', '-f'])
      const waiting = await own.run(['-A', 'tasks', 'purge', '-f'])

      expect(JSON.parse(list.stdout)).toMatchObject([
        {
          id: 'one',
          task: 'shop.reject',
          queue: 'celery',
          reason: 'rejected',
          detail: expect.stringContaining('damaged'),
        },
        { id: 'two' },
      ])
      expect(table.stdout.split('\n')[0]).toMatch(/^ID +TASK +QUEUE +REASON/)
      expect(JSON.parse(shown.stdout)).toMatchObject({ id: 'one', args: [], contentType: 'application/json' })
      expect(careless.code).toBe(2)
      expect(replayed).toMatchObject({ code: 1, stdout: 'Replayed 1 dead letter.\n' })
      expect(replayed.stderr).toContain('three')
      expect(unasked.code).toBe(2)
      expect(dropped.stdout).toBe('Dropped 1 dead letter.\n')
      expect(waiting.stdout).toBe('Purged 1 message from celery.\n')
    },
    LIMIT_MS,
  )

  it(
    'an id that is not there is said so',
    async () => {
      const result = await project.run(['-A', 'tasks', 'dlq', 'show', 'nobody'])

      expect(result).toMatchObject({ code: 1, stdout: '' })
      expect(result.stderr).toContain('no dead letter has the id "nobody"')
    },
    LIMIT_MS,
  )
})

describe('lovage report', () => {
  it(
    'has versions and settings, and no password',
    async () => {
      const args = ['-A', 'tasks', '-b', 'memory://user:hush@host/', '--result-backend', 'memory://u:hush@h']
      const text = await project.run([...args, 'report'])
      const json = await project.run([...args, 'report', '--json'])

      expect(text.code).toBe(0)
      expect(text.stdout).toContain('lovage')
      expect(text.stdout).toContain('memory://user:**@host/')
      expect(text.stdout + json.stdout).not.toContain('hush')
      expect(JSON.parse(json.stdout)).toMatchObject({
        software: { node: process.versions.node },
        app: { main: 'shop', module: 'tasks.ts' },
        settings: { lease: 2 },
      })
    },
    LIMIT_MS,
  )
})
