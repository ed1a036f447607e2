import { describe, expect, it } from '@jest/globals'
import { ConfigError, Lovage } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { sqlPlace } from '../../support/sql-place.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { tempFolder } from '../../support/temp.js'

const names = { task: 'shop_task', group: 'shop_group' }

for (const server of ['postgresql', 'mariadb'] as const) {
  const itHere = serviceUrl(server) === undefined ? it.skip : it

  itHere(`results on ${server} are in the tables that databaseTableNames names`, async () => {
    await using place = await sqlPlace(server)
    if (place === undefined) throw new Error(`${server} is not there any more`)
    const app = new Lovage('shop', { broker: place.url, databaseTableNames: names })
    const add = app.task('tasks.add', (x: number, y: number) => x + y)
    const worker = await startWorker(app)

    expect(await (await add.delay(2, 3)).get(20)).toBe(5)
    expect(await place.knex('shop_task').select('status')).toMatchObject([{ status: 'SUCCESS' }])
    expect(await place.knex('shop_group').select('id')).toEqual([])
    expect(await place.knex.schema.hasTable('celery_taskmeta')).toBe(false)
    await worker.stop()
    await app.close()
  })
}

const itOnPostgresql = serviceUrl('postgresql') === undefined ? it.skip : it

itOnPostgresql('results are in the schemas that databaseTableSchemas names', async () => {
  await using place = await sqlPlace('postgresql')
  await using other = await sqlPlace('postgresql')
  const schema = new URL(other?.url ?? '').searchParams.get('schema')
  const app = new Lovage('shop', {
    broker: place?.url ?? '',
    databaseTableSchemas: { task: schema, group: schema },
  })
  const add = app.task('tasks.add', (x: number, y: number) => x + y)
  const worker = await startWorker(app)

  expect(await (await add.delay(2, 3)).get(20)).toBe(5)
  expect(await other?.knex('celery_taskmeta').select('status')).toMatchObject([{ status: 'SUCCESS' }])
  expect(await place?.knex.schema.hasTable('celery_taskmeta')).toBe(false)
  await worker.stop()
  await app.close()
})

describe('a SQLite file', () => {
  it('has one name for its result tables, and says so', async () => {
    await using folder = await tempFolder('tables')
    const app = new Lovage('shop', { broker: sqliteUrl(folder.file('queue.db')), databaseTableNames: names })

    const sent = await app.task('tasks.add', (x: number, y: number) => x + y).delay(2, 3)

    await expect(sent.get(5)).rejects.toBeInstanceOf(ConfigError)
    await app.close()
  })
})
