import { copyFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { guardBackend } from '../../../src/backend/guard.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { ConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { node } from '../../support/child.js'
import { restartRunner } from '../../support/restart-runner.js'
import { sideBySideRunner } from '../../support/side-by-side-runner.js'
import { sqliteEngines, sqliteUrl } from '../../support/sqlite.js'
import { tempFolder } from '../../support/temp.js'
import { describeBackend, describeBroker, jsonCodec } from '../index.js'

const claimScript = fileURLToPath(new URL('../../support/child/claim.js', import.meta.url))
const folder = await tempFolder('sqlite')

afterAll(async () => {
  await folder.remove()
})

for (const engine of await sqliteEngines()) {
  const url = parseConnectionUrl(sqliteUrl(folder.file(`${engine.replace(':', '-')}.db`), engine))
  const openResults = (): ResultBackend => guardBackend(createBackend(url, { codec: jsonCodec }))

  describeBroker({
    name: `sqlite on ${engine}`,
    runner: sideBySideRunner(),
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

  // What a killed process leaves: the file and its log, as they are while everything is still open.
  const place = { runs: 0, file: folder.file(`${engine.replace(':', '-')}-0.db`) }
  const restarted = {
    name: `sqlite on ${engine} after a killed process`,
    runner: restartRunner(),
    restart: async (): Promise<void> => {
      const left = place.file
      place.runs += 1
      place.file = folder.file(`${engine.replace(':', '-')}-${String(place.runs)}.db`)
      for (const suffix of ['', '-wal']) await copyFile(`${left}${suffix}`, `${place.file}${suffix}`)
    },
  }
  const here = (): ConnectionUrl => parseConnectionUrl(sqliteUrl(place.file, engine))
  describeBroker({
    ...restarted,
    open: () => guardBroker(createBroker(here(), {})),
    offers: ['durable', 'delays'],
  })
  describeBackend({
    ...restarted,
    open: () => guardBackend(createBackend(here(), { codec: jsonCodec })),
    offers: ['shared'],
  })
}
