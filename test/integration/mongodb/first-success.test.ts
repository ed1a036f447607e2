import { describe, expect, it } from '@jest/globals'
import { readBackendSettings } from '../../../backends/mongodb/backend-settings.js'
import { MongoBackend } from '../../../backends/mongodb/backend.js'
import type { TaskRecord } from '../../../src/backend/contract.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { jsonCodec } from '../../conformance/index.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe
const ROUNDS = 60

withServer('a success in MongoDB', () => {
  it('stays though another outcome is written beside a settlement at the same moment', async () => {
    const url = new URL(server ?? '')
    url.pathname = `/${randomName('success')}`
    const backend = new MongoBackend(
      readBackendSettings(parseConnectionUrl(url.href), {}, { codec: jsonCodec }),
    )
    await backend.connect(new AbortController().signal)
    const ids = Array.from({ length: ROUNDS }, (_, n) => `task-${String(n)}`)
    const done = (taskId: string, state: string): TaskRecord => ({
      taskId,
      state,
      result: 1,
      children: [],
      doneAtMs: 1,
    })

    await Promise.all(
      ids.flatMap((id) => [
        backend.writeWithin(undefined, [{ record: done(id, 'FAILURE'), ttlMs: 0 }]),
        backend.store([done(id, 'SUCCESS')], { ttlMs: 0 }),
      ]),
    )

    const states = [...(await backend.load(ids)).values()].map(({ state }) => state)
    await backend.forget(ids)
    await backend.close()
    expect(states).toEqual(ids.map(() => 'SUCCESS'))
  })
})
