import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { openStore } from '../../../brokers/sql/store.js'
import { settingsOf } from '../../../brokers/sql/settings/database-settings.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import { randomName } from '../../support/temp.js'
import { openBroker } from './queue.js'

const SERVERS = ['postgresql', 'mariadb'] as const
/** The server ends a transaction after ten seconds in which nothing was said. */
const LONGER_MS = 12_000

describe.each(SERVERS)('a process that stands still in the middle of a transaction on %s', (server) => {
  const itHere = serviceUrl(server) === undefined ? it.skip : it

  itHere(
    'gives up what it has locked, and undoes what it did',
    async () => {
      await using place = await sqlPlace(server)
      if (place === undefined) throw new Error(`${server} is not there any more`)
      const queue = randomName('queue')
      const broker = await openBroker(place.url, queue)
      const store = await openStore(settingsOf(parseConnectionUrl(place.url), {}))

      const standing = store.database.transaction(async (session) => {
        await session.run(`UPDATE {queue} SET name = name WHERE name = '${queue}'`)
        await sleep(LONGER_MS)
        await session.run(`DELETE FROM {queue} WHERE name = '${queue}'`)
      })
      const ended = standing.then(
        () => 'committed',
        () => 'undone',
      )
      await sleep(500)
      const beganMs = performance.now()
      await place.knex('lovage_queue').where({ name: queue }).update({ name: queue })

      expect(performance.now() - beganMs).toBeGreaterThan(5_000)
      expect(await ended).toBe('undone')
      expect(await broker.queues?.()).toEqual([queue])
      await store.release()
      await broker.close()
    },
    60_000,
  )
})
