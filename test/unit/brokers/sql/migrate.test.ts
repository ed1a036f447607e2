import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../../backends/sql/index.js'
import { createBroker, migrate, planMigrations } from '../../../../brokers/sql/index.js'
import { chooseEngine } from '../../../../brokers/sql/engine/choose.js'
import type { NativeConnection } from '../../../../brokers/sql/engine/native.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { ConfigError } from '../../../../src/errors/errors.js'
import { jsonCodec } from '../../../conformance/index.js'
import { node } from '../../../support/child.js'
import { sqliteUrl } from '../../../support/sqlite.js'
import { tempFolder } from '../../../support/temp.js'
import type { TempFolder } from '../../../support/temp.js'

const never = new AbortController().signal
const migrateScript = fileURLToPath(new URL('../../../integration/sql/child/migrate.js', import.meta.url))
const folders: TempFolder[] = []

async function newFile(): Promise<string> {
  const folder = await tempFolder('migrate')
  folders.push(folder)
  return folder.file('queue.db')
}

async function openNative(path: string): Promise<NativeConnection> {
  return (await chooseEngine(undefined)).open(path)
}

async function columnsOf(path: string, table: string): Promise<readonly unknown[]> {
  const native = await openNative(path)
  const rows = native.prepare(`SELECT name FROM pragma_table_info('${table}')`).all([])
  native.close()
  return rows.map(([name]) => name)
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await folder.remove()
})

describe('migrate', () => {
  it('makes every table of an empty database, and does nothing the second time', async () => {
    const url = sqliteUrl(await newFile())

    const first = await migrate(url)
    const second = await migrate(url)

    expect(first.applied).toEqual([
      '001-queue',
      '002-broadcast',
      '003-beat',
      'create celery_taskmeta',
      'create celery_tasksetmeta',
    ])
    expect(second.applied).toEqual([])
    expect(await planMigrations(url)).toEqual([])
  })

  it('makes the result tables alone for the URL of a result backend', async () => {
    const path = await newFile()

    const { applied } = await migrate(`db+${sqliteUrl(path)}`)

    expect(applied).toEqual(['create celery_taskmeta', 'create celery_tasksetmeta'])
    expect(await columnsOf(path, 'lovage_message')).toEqual([])
  })

  it('plans without making the file', async () => {
    const path = await newFile()

    const statements = await planMigrations(sqliteUrl(path))

    expect(statements.some((sql) => /create table `lovage_message`/i.test(sql))).toBe(true)
    expect(existsSync(path)).toBe(false)
  })

  it('gives a result table of an older Celery the columns it lacks, and keeps its rows', async () => {
    const path = await newFile()
    const native = await openNative(path)
    native.exec(
      `CREATE TABLE celery_taskmeta (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, task_id VARCHAR(155),
       status VARCHAR(50), result BLOB, date_done DATETIME, traceback TEXT, name VARCHAR(155), args BLOB,
       kwargs BLOB, worker VARCHAR(155), retries INTEGER, queue VARCHAR(155), UNIQUE (task_id));
       INSERT INTO celery_taskmeta (task_id, status) VALUES ('old', 'STARTED')`,
    )
    native.close()
    const backend = createBackend(parseConnectionUrl(sqliteUrl(path)), { codec: jsonCodec })

    await backend.connect(never)

    expect(await columnsOf(path, 'celery_taskmeta')).toEqual(expect.arrayContaining(['children', 'stamps']))
    expect((await backend.load(['old'])).get('old')?.state).toBe('STARTED')
    await backend.close()
  })

  it('is told to whoever connects when it is needed and switched off', async () => {
    const url = parseConnectionUrl(sqliteUrl(await newFile()))
    const broker = createBroker(url, { autoMigrate: false })

    const connecting = broker.connect(never)

    await expect(connecting).rejects.toThrow(ConfigError)
    await expect(broker.connect(never)).rejects.toThrow(/lovage migrate/)
    await migrate(url.text)
    await broker.connect(never)
    await broker.close()
  })

  it('is done once by several processes that start together', async () => {
    const url = sqliteUrl(await newFile())

    const exits = await Promise.all(Array.from({ length: 4 }, () => node(migrateScript, [url]).exited))

    expect(exits.map(({ code, stderr }) => [code, stderr])).toEqual(exits.map(() => [0, '']))
    const applied = exits.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== ''))
    expect(applied.sort()).toEqual([
      '001-queue',
      '002-broadcast',
      '003-beat',
      'create celery_taskmeta',
      'create celery_tasksetmeta',
    ])
  })
})
