import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { MongoNetworkError, type MongoClient } from 'mongodb'
import { acquireConnection } from '../../../brokers/mongodb/connection.js'
import { readSettings } from '../../../brokers/mongodb/settings.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { serviceUrl } from '../../support/service-url.js'

const server = serviceUrl('mongodb')
const withServer = server === undefined ? describe.skip : describe
const ANSWER_S = 1

/** What the driver has inside. */
interface Inside {
  readonly topology: { readonly s: { readonly servers: ReadonlyMap<string, InsideServer> } }
}
interface InsideServer {
  readonly description: { readonly type: string }
  readonly pool: { readonly generation: number }
  readonly monitor: {
    readonly connection: { readonly socket: { destroy(): void } }
    requestCheck(): void
  }
  handleError(error: Error, connection: { readonly generation: number }): void
}

/** As when a whole network goes: a connection is found dead just before the socket of the heartbeat says so. */
function breakHeartbeat(client: MongoClient): InsideServer {
  const [member] = (client as unknown as Inside).topology.s.servers.values()
  if (member === undefined) throw new Error('the driver knows no server')
  member.monitor.connection.socket.destroy()
  member.handleError(new MongoNetworkError('closed'), { generation: member.pool.generation })
  member.monitor.requestCheck()
  return member
}

withServer('a heartbeat of the driver that never ends', () => {
  it('is given up, and the same client works again', async () => {
    const { target } = readSettings(parseConnectionUrl(server ?? ''), { socket_timeout: ANSWER_S })
    const { connection: link, release } = acquireConnection(target)
    await link.ready(AbortSignal.timeout(10_000))
    const ping = async (): Promise<unknown> => link.client.db('admin').command({ ping: 1 })
    // A heartbeat is asked for five times a second at most.
    await sleep(500)

    const member = breakHeartbeat(link.client)
    await expect(ping()).rejects.toThrow('closed')
    expect(member.description.type).toBe('Unknown')

    const endMs = performance.now() + 10_000
    let answer: unknown
    while (answer === undefined && performance.now() < endMs) answer = await ping().catch(() => undefined)
    expect(answer).toMatchObject({ ok: 1 })
    await release()
  }, 30_000)
})
