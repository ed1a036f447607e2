import { fileURLToPath } from 'node:url'
import { afterAll } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { guardBackend } from '../../../src/backend/guard.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { node } from '../../support/child.js'
import { sqliteEngines, sqliteUrl } from '../../support/sqlite.js'
import { tempFolder } from '../../support/temp.js'
import { describeBackend, describeBroker, jsonCodec } from '../index.js'

const claimScript = fileURLToPath(new URL('../../integration/sql/child/claim.js', import.meta.url))
const folder = await tempFolder('sqlite')

afterAll(async () => {
  await folder.remove()
})

for (const engine of await sqliteEngines()) {
  const url = parseConnectionUrl(sqliteUrl(folder.file(`${engine.replace(':', '-')}.db`), engine))
  const openResults = (): ResultBackend => guardBackend(createBackend(url, { codec: jsonCodec }))

  describeBroker({
    name: `sqlite on ${engine}`,
    open: () => guardBroker(createBroker(url, {})),
    openResults,
    offers: [
      'durable',
      'delays',
      'priorities',
      'direct',
      'topic',
      'fanout',
      'headers',
      'leases',
      'settle',
      'queues',
      'broadcast',
      'schedules',
      'clock',
    ],
    crash: async (queue, count, leaseMs) => {
      await using child = node(claimScript, [url.text, queue, String(count), String(leaseMs)])
      await child.waitForLine('claimed')
      await child.stop()
    },
  })

  describeBackend({
    name: `sqlite on ${engine}`,
    open: openResults,
    offers: ['shared', 'watch', 'cleanup', 'groups'],
  })
}
