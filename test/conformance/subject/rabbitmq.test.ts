import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { createBackend } from '../../../backends/rpc/index.js'
import { createBroker } from '../../../brokers/rabbitmq/index.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import { guardBackend } from '../../../src/backend/guard.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker } from '../../../src/broker/contract.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { canStartRabbitmq, RabbitmqServer } from '../../support/rabbitmq-server.js'
import { serviceUrl } from '../../support/service-url.js'
import { describeBackend, describeBroker, jsonCodec } from '../index.js'
import { never } from '../time.js'
import type { BrokerPart } from '../index.js'
import { PATIENCE_MS } from '../../support/patience.js'

const server = serviceUrl('rabbitmq')

const OFFERS: readonly BrokerPart[] = [
  'durable',
  'delays',
  'direct',
  'topic',
  'fanout',
  'headers',
  'broadcast',
  'expiration',
]

const EXCEPTIONS = {
  'does not count delayed messages as ready, and purges them too':
    'a delayed message waits in a queue that all queues share',
}

if (server === undefined) {
  describe('rabbitmq', () => {
    it.skip('is tested where LOVAGE_TEST_RABBITMQ_URL names a server', () => undefined)
  })
} else {
  const url = parseConnectionUrl(server)
  /** A server that may be restarted; where none can be started, nothing is. */
  let own: RabbitmqServer | undefined

  if (canStartRabbitmq()) {
    beforeAll(async () => {
      own = await RabbitmqServer.start()
    }, 60_000)
    afterAll(() => own?.[Symbol.asyncDispose]())
  }

  const place = {
    open: (): Broker =>
      guardBroker(createBroker(own === undefined ? url : parseConnectionUrl(own.url), {}), {
        publishTimeoutMs: PATIENCE_MS,
      }),
    ...(canStartRabbitmq() && {
      restart: async () => {
        await own?.kill()
        await own?.start()
      },
    }),
  }

  describeBroker({
    ...place,
    name: 'rabbitmq, classic queues with priorities',
    offers: [...OFFERS, 'priorities'],
    queueArguments: { 'x-max-priority': 9 },
    delayMs: 1_000,
    exceptions: EXCEPTIONS,
  })

  describeBroker({
    name: 'rabbitmq, quorum queues',
    open: () => guardBroker(createBroker(url, {}), { publishTimeoutMs: PATIENCE_MS }),
    offers: OFFERS,
    // They know none before RabbitMQ 4.
    queuesLack: ['priorities'],
    queueArguments: { 'x-queue-type': 'quorum' },
    delayMs: 1_000,
    exceptions: EXCEPTIONS,
  })

  const openBroker = async (): Promise<Broker> => {
    const broker = guardBroker(createBroker(url, {}), { publishTimeoutMs: PATIENCE_MS })
    await broker.connect(never)
    return broker
  }

  let caller: ResultBackend | undefined

  /** Results go to whoever called: in these tests, the first backend that a test opened. */
  const open = (): ResultBackend => {
    const inner = createBackend(parseConnectionUrl('rpc://'), { codec: jsonCodec, openBroker })
    caller ??= inner
    const { replyTo } = caller
    const close = async (): Promise<void> => {
      if (caller === inner) caller = undefined
      await inner.close()
    }
    const store: ResultBackend['store'] = async (records, options) => {
      const address = await replyTo?.call(caller ?? inner)
      const addressed = records.map((record) =>
        address === undefined ? record : { ...record, replyTo: address },
      )
      await inner.store(addressed, options)
    }
    const load: ResultBackend['load'] = (taskIds) => inner.load(taskIds)
    const forget: ResultBackend['forget'] = (taskIds) => inner.forget(taskIds)
    return guardBackend({
      name: inner.name,
      shared: inner.shared,
      connect: (signal) => inner.connect(signal),
      store,
      load,
      forget,
      watch: async (taskIds, changed) =>
        (await inner.watch?.(taskIds, changed)) ?? { close: async () => undefined },
      close,
    })
  }

  describeBackend({
    name: 'rpc over rabbitmq',
    open,
    offers: ['watch'],
    exceptions: {
      'reads what another instance stored': 'a result goes to its caller, and nobody else reads it',
    },
  })
}
