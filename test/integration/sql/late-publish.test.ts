import { describe, expect, it } from '@jest/globals'
import { chooseEngine } from '../../../brokers/sql/engine/choose.js'
import { openStore } from '../../../brokers/sql/store.js'
import { settingsOf } from '../../../brokers/sql/settings/database-settings.js'
import type { Broker } from '../../../src/broker/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { PublishError } from '../../../src/errors/errors.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { never, textMessage } from './queue.js'

const SENDS = 20

async function openGuarded(url: string, queue: string): Promise<Broker> {
  const broker = guardBroker(createBroker(parseConnectionUrl(url), {}), { publishTimeoutMs: 300 })
  await broker.connect(never)
  await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
  await broker.publish([textMessage(queue, 'first')])
  return broker
}

/** Send one by one while nothing can be written, and one more message when it can again. */
async function expectNothingLate(broker: Broker, queue: string, release: () => Promise<void>): Promise<void> {
  const sending = Array.from({ length: SENDS }, (_, index) =>
    broker.publish([textMessage(queue, String(index))]).then(
      () => 'sent',
      (error: unknown) => error,
    ),
  )
  const outcomes = await Promise.all(sending)
  await release()
  await broker.publish([textMessage(queue, 'last')])

  expect(outcomes.map((error) => error instanceof PublishError && error.notSent)).toEqual(
    outcomes.map(() => true),
  )
  expect(await broker.depth(queue)).toBe(2)
}

/** The same while a transaction of this process has the only connection. */
async function expectNothingLateBehind(url: string): Promise<void> {
  const queue = randomName('queue')
  const broker = await openGuarded(url, queue)
  const store = await openStore(settingsOf(parseConnectionUrl(url), {}))
  let end = (): void => undefined
  let standing: Promise<void> | undefined
  await new Promise<void>((begun) => {
    standing = store.database.transaction(async () => {
      begun()
      await new Promise<void>((resolve) => (end = resolve))
    })
  })

  await expectNothingLate(broker, queue, async () => {
    end()
    await standing
  })

  await store.release()
  await broker.close()
}

describe('a publish whose time is up while it waits for its turn', () => {
  it('is never carried out on SQLite', async () => {
    await using folder = await tempFolder('late')
    const path = folder.file('queue.db')
    const queue = randomName('queue')
    const broker = await openGuarded(sqliteUrl(path), queue)
    const other = (await chooseEngine(undefined)).open(path)
    other.exec('BEGIN IMMEDIATE')

    await expectNothingLate(broker, queue, async () => {
      other.exec('ROLLBACK')
    })

    other.close()
    await broker.close()
  })

  it('is rejected while a transaction of this process is under way on SQLite', async () => {
    await using folder = await tempFolder('late')
    await expectNothingLateBehind(sqliteUrl(folder.file('queue.db')))
  })

  for (const server of ['postgresql', 'mariadb'] as const) {
    const whereItIs = serviceUrl(server) === undefined ? it.skip : it
    whereItIs(`is never carried out on ${server} when every connection is in use`, async () => {
      await using place = await sqlPlace(server)
      const url = new URL(place?.url ?? '')
      url.searchParams.set('poolSize', '1')
      await expectNothingLateBehind(url.href)
    })
  }
})
