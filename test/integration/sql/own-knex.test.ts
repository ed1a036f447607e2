import { afterEach, describe, expect, it, jest } from '@jest/globals'
import type { Knex } from 'knex'
import { migrate, planMigrations } from '../../../brokers/sql/index.js'
import { migrationSource, up } from '../../../brokers/sql/knex-migrations.js'
import { ConfigError, Lovage, UnsupportedError } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { knexPlaces } from '../../support/knex-places.js'
import { randomName } from '../../support/temp.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function open(knex: Knex, settings: Record<string, unknown> = {}): Lovage {
  const app = new Lovage('shop', { broker: knex, ...settings })
  closers.push(() => app.close())
  return app
}

for (const { name, open: openPlace } of await knexPlaces()) {
  describe(`an application's own knex on ${name}`, () => {
    async function place(): Promise<Knex> {
      const { knex, remove } = await openPlace()
      closers.push(remove)
      return knex
    }

    async function migrated(): Promise<Knex> {
      const knex = await place()
      await migrate(knex)
      return knex
    }

    it('is broker and result backend, and stays open when the app is closed', async () => {
      const knex = await migrated()
      const app = open(knex)
      const add = app.task('tasks.add', (x: number, y: number) => x + y)
      const worker = await startWorker(app)

      const sum = await (await add.delay(2, 3)).get(20)
      await worker.stop()
      await app.close()

      expect(sum).toBe(5)
      expect(await knex.select(knex.raw('1 as one'))).toMatchObject([{ one: 1 }])
    })

    it('gets no tables by itself: the error names the command', async () => {
      const app = open(await place())
      const add = app.task('tasks.add', (x: number) => x)

      const sending = add.delay(1)

      await expect(sending).rejects.toBeInstanceOf(ConfigError)
      await expect(sending).rejects.toThrow(/lovage migrate/)
    })

    it("gets its tables from the application's own migrations, once", async () => {
      const knex = await place()
      const migrations = { migrationSource: migrationSource(), tableName: 'lovage_knex_migrations' }

      await knex.migrate.latest(migrations)
      await knex.migrate.latest(migrations)

      expect(await planMigrations(knex)).toEqual([])
      expect(await (await internalsOf(open(knex)).broker()).queues?.()).toEqual([])
    })

    it("gets them from a migration file of the application's that says so, and refuses a transaction", async () => {
      const knex = await place()
      const own = { up: (inner: Knex) => up(inner), down: () => Promise.resolve() }
      const files = (config: object) => ({
        migrationSource: {
          getMigrations: () => Promise.resolve(['001-app']),
          getMigrationName: (file: string) => file,
          getMigration: () => Promise.resolve({ ...own, ...config }),
        },
      })

      await expect(knex.migrate.latest(files({}))).rejects.toThrow(/transaction: false/)
      await knex.migrate.latest(files({ config: { transaction: false } }))

      expect(await planMigrations(knex)).toEqual([])
    })

    it('sends within a transaction: seen after the commit, never before', async () => {
      const knex = await migrated()
      const queue = randomName('queue')
      const app = open(knex, { taskDefaultQueue: queue })
      const add = app.task('tasks.add', (x: number, y: number) => x + y)

      const result = await knex.transaction(async (trx) => {
        const sent = await add.with(trx).delay(2, 3)
        expect(await trx('lovage_message').where({ queue })).toHaveLength(1)
        return sent
      })

      expect(await (await internalsOf(app).broker()).depth(queue)).toBe(1)
      const worker = await startWorker(app)
      expect(await result.get(20)).toBe(5)
      await worker.stop()
    })

    it('sends nothing when the transaction is rolled back, and once when it is tried again', async () => {
      const knex = await migrated()
      const queue = randomName('queue')
      const app = open(knex, { taskDefaultQueue: queue })
      const add = app.task('tasks.add', (x: number) => x)
      let tries = 0
      const work = (): Promise<void> =>
        knex.transaction(async (trx) => {
          await add.with(trx).applyAsync([1], { countdown: 0 })
          await add.with(trx).bulk([[2], [3]])
          tries += 1
          if (tries < 3) throw new TypeError('a serialization failure')
        })

      await expect(work()).rejects.toThrow(TypeError)
      await expect(work()).rejects.toThrow(TypeError)
      const broker = await internalsOf(app).broker()
      await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
      expect(await broker.depth(queue)).toBe(0)
      await work()

      expect(await broker.depth(queue)).toBe(3)
    })

    it('refuses what is no open transaction', async () => {
      const knex = await migrated()
      const app = open(knex)
      const add = app.task('tasks.add', (x: number) => x)
      const ended = await knex.transaction(async (trx) => Promise.resolve(trx))

      await expect(add.with(ended).delay(1)).rejects.toBeInstanceOf(ConfigError)
      await expect(add.with(knex).delay(1)).rejects.toBeInstanceOf(ConfigError)
    })
  })
}

describe('a broker that is no SQL database', () => {
  it('refuses a call within a transaction by name', async () => {
    const app = new Lovage('shop', { broker: `memory://${randomName()}` })
    closers.push(() => app.close())
    const add = app.task('tasks.add', (x: number) => x)

    await expect(add.with({}).delay(1)).rejects.toBeInstanceOf(UnsupportedError)
  })
})
