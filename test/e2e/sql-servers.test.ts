import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, jest } from '@jest/globals'
import { projectRoot } from '../support/child.js'
import { serviceUrl } from '../support/service-url.js'
import { sqlPlace } from '../support/sql-place.js'
import { createProject } from './project.js'

jest.setTimeout(120_000)

for (const server of ['postgresql', 'mariadb'] as const) {
  const testHere = serviceUrl(server) === undefined ? it.skip : it

  testHere(`the command line migrates, works and calls on ${server}`, async () => {
    await using place = await sqlPlace(server)
    const url = place?.url ?? ''
    await using project = await createProject()

    const migrated = await project.run(['-A', 'tasks', '-b', url, 'migrate', '--json'])
    const worker = await project.worker(['-b', url])
    const called = await project.run([
      '-A',
      'tasks',
      '-b',
      url,
      'call',
      'shop.add',
      '--args',
      '[2, 3]',
      '--task-id',
      'sum',
    ])
    const result = await project.run(['-A', 'tasks', '-b', url, 'result', 'sum', '--timeout', '20'])
    worker.kill('SIGTERM')
    const exit = await worker.exited

    expect(migrated).toMatchObject({ code: 0 })
    expect(called).toMatchObject({ code: 0 })
    expect(result).toMatchObject({ code: 0, stdout: '5\n' })
    expect(exit.code).toBe(0)
  })

  testHere(`lovage migrate makes the tables of an app whose broker is a Knex on ${server}`, async () => {
    await using place = await sqlPlace(server)
    await using project = await createProject({ 'tasks.ts': knexApp(server, place?.url ?? '') })
    await symlink(join(projectRoot, 'node_modules/knex'), project.file('node_modules/knex'), 'junction')

    const plan = await project.run(['-A', 'tasks', 'migrate', '--plan'])
    const first = await project.run(['-A', 'tasks', 'migrate', '--json'])
    const second = await project.run(['-A', 'tasks', 'migrate'])

    expect(plan).toMatchObject({ code: 0 })
    expect(plan.stdout).toContain('lovage_message')
    expect(JSON.parse(first.stdout)).toEqual([
      { store: "the application's database", done: expect.arrayContaining(['001-queue']) },
    ])
    expect(second).toMatchObject({ code: 0, stdout: '' })
    expect(second.stderr).toContain('is up to date')
    expect(await place?.knex('lovage_message').select('id')).toEqual([])
  })
}

/** An app on a Knex of its own, in the place that a URL names. */
function knexApp(server: 'postgresql' | 'mariadb', url: string): string {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const connection = {
    ...{ host: hostname, port: Number(port), user: username, password, database: pathname.slice(1) },
    ...(server === 'postgresql' && { options: `-c search_path=${searchParams.get('schema')}` }),
  }
  const settings = { client: server === 'postgresql' ? 'pg' : 'mysql2', connection }
  return `
import knex from 'knex'
import { Lovage } from 'lovage'

export const app = new Lovage('shop', { broker: knex(${JSON.stringify(settings)}) })
export const add = app.task('shop.add', (x: number, y: number) => x + y)
`
}
