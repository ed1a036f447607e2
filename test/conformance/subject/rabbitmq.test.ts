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

/**
 * Has the server write its tables to disk. By itself it does so half a second after a change: killed before, it never finds
 * the log of a quorum queue that was just declared, and its consumers wait for ever.
 *
 * @source Ra 2.0, `src/ra_directory.erl`, `init`.
 */
const WRITE_DOWN = '[ok = dets:sync(Table) || Table <- dets:all()].'

/**
 * A delayed message that comes out of its queue before the queue it is for has a leader again, after a restart, is sent to it once
 * more when it was not confirmed for this long, in milliseconds: three minutes, if nothing is said.
 *
 * @source RabbitMQ 3.10, `deps/rabbit/src/rabbit_fifo_dlx_worker.erl`.
 */
const ASKS_SOON = '# erl -rabbit dead_letter_worker_publisher_confirm_timeout 1000'

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
      own = await RabbitmqServer.start(ASKS_SOON)
    }, 60_000)
    afterAll(() => own?.[Symbol.asyncDispose]())
  } else {
    it.skip('rabbitmq over a restart is tested where rabbitmq-server is installed', () => undefined)
  }

  const place = {
    open: (): Broker =>
      guardBroker(createBroker(own === undefined ? url : parseConnectionUrl(own.url), {}), {
        publishTimeoutMs: PATIENCE_MS,
      }),
    ...(canStartRabbitmq() && {
      restart: async () => {
        await own?.ctl('eval', WRITE_DOWN)
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
    ...place,
    name: 'rabbitmq, quorum queues',
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
