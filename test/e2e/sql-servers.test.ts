import { expect, jest, test } from '@jest/globals'
import { serviceUrl } from '../support/service-url.js'
import { sqlPlace } from '../support/sql-place.js'
import { createProject } from './project.js'

jest.setTimeout(120_000)

for (const server of ['postgresql', 'mariadb'] as const) {
  const testHere = serviceUrl(server) === undefined ? test.skip : test

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
}
