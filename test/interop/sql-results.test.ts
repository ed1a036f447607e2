import { afterAll, describe, expect, it } from '@jest/globals'
import type { Knex } from 'knex'
import { createBackend } from '../../backends/sql/index.js'
import { guardBackend } from '../../src/backend/guard.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import { BackendError } from '../../src/errors/errors.js'
import { jsonCodec } from '../conformance/index.js'
import type { ResultBackend } from '../../src/driver.js'
import { Codecs } from '../../src/message/codecs.js'
import { createResultCodec } from '../../src/message/result-codec.js'
import type { ResultCodec } from '../../src/message/result-codec.js'
import { sqlInteropPlace } from './support/sql-place.js'
import { InteropStage } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
// pickle.dumps(15), as Celery up to 5.6 wrote every result.
const PICKLED_15 = Buffer.from([0x80, 5, 75, 15, 46])

/** Celery's code for its own tables, with what 5.7 adds to those of 5.6. */
const PYTHON_OPENS = `
app.backend.session_manager.prepared = False
app.backend.ResultSession().close()`

const PYTHON_STORES = `
class Request:
    children = [app.AsyncResult('kid')]
app.backend.store_result('theirs', {'n': 1}, 'SUCCESS', request=Request)
group = app.GroupResult('their-group', [app.AsyncResult('one'), app.AsyncResult('two')])
group.save()`

const PYTHON_READS = `
ours = app.AsyncResult('ours')
group = app.GroupResult.restore('our-group')
old = app.AsyncResult('old')
return [ours.get(timeout=20), [child.id for child in ours.children], [one.id for one in group.results], old.get(timeout=20)]`

for (const server of ['postgresql', 'mariadb', 'sqlite'] as const) {
  const found = python === undefined ? undefined : await sqlInteropPlace(server)
  if (python === undefined || found === undefined) {
    it.skip(`Celery's result tables on ${server}: nothing is there to run it on`, () => undefined)
    continue
  }
  const { place, knex, remove } = found
  describe(`Celery's result tables on ${server}, made by Celery 5.6`, () => {
    afterAll(remove, 20_000)

    it.each(['Lovage', 'Celery 5.7'])(
      'are extended by %s first and then by the other, and both read both',
      async (first) => {
        await tablesOf56(knex, server)
        await using stage = await InteropStage.open(python, place)
        if (first !== 'Lovage') await stage.python.run(PYTHON_OPENS)
        await using backend = await openBackend(place.backend)
        if (first === 'Lovage') await stage.python.run(PYTHON_OPENS)

        await storeOurs(backend.results)
        await stage.python.run(PYTHON_STORES)

        expect(await stage.python.run(PYTHON_READS)).toEqual([{ n: 2 }, ['kid'], ['one', 'two'], 15])
        const records = await backend.results.load(['theirs', 'old'])
        expect(records.get('theirs')).toMatchObject({
          state: 'SUCCESS',
          result: { n: 1 },
          children: [[['kid', null], null]],
        })
        expect(await backend.results.groups?.load('their-group')).toEqual([
          ['their-group', null],
          [
            [['one', null], null],
            [['two', null], null],
          ],
        ])
      },
      60_000,
    )

    it.each(['yaml', 'msgpack'])(
      'hold values in %s, where that is the result serializer of both',
      async (serializer) => {
        await tablesOf56(knex, server)
        await using stage = await InteropStage.open(python, place)
        await using backend = await openBackend(place.backend, await codecOf(serializer))

        await storeOurs(backend.results)
        const theirs = await stage.python.run(pythonIn(serializer))

        expect(theirs).toEqual([{ n: 2 }, ['kid']])
        const records = await backend.results.load(['theirs'])
        expect(records.get('theirs')).toMatchObject({ state: 'SUCCESS', result: { n: [1, 'é'] } })
      },
      60_000,
    )

    it('hold pickles that are never read: the error says what to do', async () => {
      await tablesOf56(knex, server)
      await using stage = await InteropStage.open(python, place)
      const old = stage.app.AsyncResult('old')

      expect(await old.state()).toBe('SUCCESS')
      await expect(old.get(20)).rejects.toBeInstanceOf(BackendError)
      await expect(old.get(20)).rejects.toThrow(/Python pickle.*version 5\.7 or later/)
    }, 60_000)
  })
}

async function codecOf(serializer: string): Promise<ResultCodec> {
  const codecs = new Codecs()
  await codecs.serializers.prepare([serializer])
  return createResultCodec(serializer, codecs)
}

/** A backend of Celery's whose result serializer is this one stores a result, and reads ours. */
function pythonIn(serializer: string): string {
  return `
from celery.backends.database import DatabaseBackend
backend = DatabaseBackend(url=app.backend.url, app=app, serializer='${serializer}', accept=['${serializer}'])
backend.store_result('theirs', {'n': [1, 'é']}, 'SUCCESS')
ours = backend.get_task_meta('ours')
return [ours['result'], [child[0][0] for child in ours['children']]]`
}

async function openBackend(
  url: string,
  codec: ResultCodec = jsonCodec,
): Promise<AsyncDisposable & { readonly results: ResultBackend }> {
  const results = guardBackend(createBackend(parseConnectionUrl(url), { codec }))
  await results.connect(new AbortController().signal)
  return { results, [Symbol.asyncDispose]: () => results.close() }
}

async function storeOurs(results: ResultBackend): Promise<void> {
  const child = [['kid', null], null]
  const record = {
    taskId: 'ours',
    state: 'SUCCESS',
    result: { n: 2 },
    children: [child],
    doneAtMs: Date.now(),
  }
  await results.store([record], { ttlMs: 0 })
  const members = ['one', 'two'].map((id) => [[id, null], null])
  await results.groups?.save('our-group', [['our-group', null], members], { ttlMs: 0 })
}

/**
 * Empty tables as Celery 5.6 makes them, but for one result.
 *
 * @source Celery 5.6, `celery/backends/database/models.py`.
 */
async function tablesOf56(knex: Knex, server: string): Promise<void> {
  await knex.schema.dropTableIfExists('celery_taskmeta')
  await knex.schema.dropTableIfExists('celery_tasksetmeta')
  const id = (table: Knex.CreateTableBuilder): unknown =>
    server === 'sqlite' ? table.increments('id') : table.integer('id').notNullable().primary()
  await knex.schema.createTable('celery_taskmeta', (table) => {
    id(table)
    table.string('task_id', 155).unique()
    table.string('status', 50)
    table.binary('result')
    table.datetime('date_done', { useTz: false })
    table.text('traceback')
    for (const name of ['name', 'worker', 'queue']) table.string(name, 155)
    table.binary('args')
    table.binary('kwargs')
    table.integer('retries')
  })
  await knex.schema.createTable('celery_tasksetmeta', (table) => {
    id(table)
    table.string('taskset_id', 155).unique()
    table.binary('result')
    table.datetime('date_done', { useTz: false })
  })
  for (const sequence of server === 'sqlite' ? [] : ['task_id_sequence', 'taskset_id_sequence']) {
    await knex.raw(`CREATE SEQUENCE IF NOT EXISTS ${sequence} START WITH 10`)
  }
  await knex('celery_taskmeta').insert({ id: 1, task_id: 'old', status: 'SUCCESS', result: PICKLED_15 })
}
