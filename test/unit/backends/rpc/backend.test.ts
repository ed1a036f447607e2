import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../../backends/rpc/index.js'
import { createBroker } from '../../../../brokers/memory/index.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import type { Broker } from '../../../../src/broker/contract.js'
import { BrokerConnectionError, PublishError } from '../../../../src/errors/errors.js'
import { jsonCodec } from '../../../conformance/index.js'

const never = new AbortController().signal

function memory(): Broker {
  return createBroker(parseConnectionUrl(`memory://${randomUUID()}`), {})
}

/** A broker whose server has gone away. */
function unreachable(closed: () => void): Broker {
  const broker = memory()
  broker.publish = () => {
    const cause = new BrokerConnectionError('the server is down')
    return Promise.reject(new PublishError('not published', [0], { cause }))
  }
  broker.close = () => {
    closed()
    return Promise.resolve()
  }
  return broker
}

describe('results by rpc', () => {
  it('go by another server of the list when the one in use is gone', async () => {
    const second = memory()
    await second.connect(never)
    await second.declare({ name: 'caller', lifetime: 'transient', bindings: [] })
    let closed = 0
    const servers = [unreachable(() => (closed += 1)), second]
    const openBroker = (): Promise<Broker> => Promise.resolve(servers.shift() ?? second)
    const backend = createBackend(parseConnectionUrl('rpc://'), { codec: jsonCodec, openBroker })
    const record = { taskId: 'x', state: 'SUCCESS', result: 1, children: [], replyTo: 'caller' }

    await expect(backend.store([record], { ttlMs: 0 })).rejects.toMatchObject({ retryable: true })
    await backend.store([record], { ttlMs: 0 })

    expect(closed).toBe(1)
    expect(await second.depth?.('caller')).toBe(1)
    await backend.close()
  })

  it('leave no listener behind when the app is closed while the first call begins to listen', async () => {
    const broker = memory()
    await broker.connect(never)
    let closed = 0
    const close = broker.close.bind(broker)
    broker.close = async () => {
      closed += 1
      await close()
    }
    const openBroker = async (): Promise<Broker> => {
      await new Promise(setImmediate)
      return broker
    }
    const backend = createBackend(parseConnectionUrl('rpc://'), { codec: jsonCodec, openBroker })

    const address = backend.replyTo?.()
    await backend.close()
    await address

    expect(closed).toBe(1)
  })
})
