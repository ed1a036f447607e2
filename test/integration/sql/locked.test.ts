import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { chooseEngine } from '../../../brokers/sql/engine/choose.js'
import type { NativeConnection } from '../../../brokers/sql/engine/native.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { BackendConnectionError, BrokerConnectionError } from '../../../src/errors/errors.js'
import { jsonCodec } from '../../conformance/index.js'
import { sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

async function lock(path: string): Promise<NativeConnection> {
  const native = (await chooseEngine(undefined)).open(path)
  native.exec('BEGIN IMMEDIATE')
  return native
}

describe('a SQLite file that another program has locked', () => {
  it('is waited for without stopping the event loop', async () => {
    await using folder = await tempFolder('locked')
    const path = folder.file('queue.db')
    const queue = randomName('queue')
    const broker = await openBroker(sqliteUrl(path), queue)
    const holder = await lock(path)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()

    const publishing = broker.publish([textMessage(queue, 'a')])
    await sleep(300)
    delay.disable()
    holder.exec('ROLLBACK')

    await publishing
    expect(delay.percentile(50) / 1e6).toBeLessThan(100)
    expect(await broker.depth(queue)).toBe(1)
    holder.close()
    await broker.close()
  })

  it('becomes a retryable error when it stays locked, and nothing is stored', async () => {
    await using folder = await tempFolder('locked')
    const path = folder.file('queue.db')
    const queue = randomName('queue')
    const url = `${sqliteUrl(path)}?lockWait=0.2`
    const broker = await openBroker(url, queue)
    const backend = createBackend(parseConnectionUrl(url), { codec: jsonCodec })
    await backend.connect(never)
    const holder = await lock(path)

    const publishing = broker.publish([textMessage(queue, 'a')])
    const storing = backend.store([{ taskId: 't', state: 'SUCCESS', result: 1, children: [] }], { ttlMs: 0 })

    await expect(publishing).rejects.toBeInstanceOf(BrokerConnectionError)
    await expect(storing).rejects.toBeInstanceOf(BackendConnectionError)
    await expect(broker.publish([textMessage(queue, 'b')])).rejects.toMatchObject({ retryable: true })
    holder.exec('ROLLBACK')
    holder.close()
    expect(await broker.depth(queue)).toBe(0)
    await broker.publish([textMessage(queue, 'c')])
    expect(await broker.depth(queue)).toBe(1)
    await broker.close()
    await backend.close()
  })

  it('can be read, and its queue counted, meanwhile', async () => {
    await using folder = await tempFolder('locked')
    const path = folder.file('queue.db')
    const queue = randomName('queue')
    const broker = await openBroker(sqliteUrl(path), queue)
    await broker.publish([textMessage(queue, 'a')])
    const holder = await lock(path)

    const depth = await broker.depth(queue)

    expect(depth).toBe(1)
    holder.close()
    await broker.close()
  })
})
