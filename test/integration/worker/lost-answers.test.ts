import { describe, expect, it, jest } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import type { Broker, Consumer } from '../../../src/broker/contract.js'
import { BrokerConnectionError } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { FaultBench } from '../../fault/fixture/fault-bench.js'
import { killStores } from '../../fault/fixture/fault-store.js'
import { LogBook } from '../../unit/worker/harness.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

/** The same consumer, of which the first answer to a settlement does not arrive. */
function losingOneAnswer(consumer: Consumer): Consumer {
  let isLost = false
  const once = async <Answer>(work: Promise<Answer>): Promise<Answer> => {
    const answer = await work
    if (isLost) return answer
    isLost = true
    throw new BrokerConnectionError('the answer did not arrive')
  }
  const settle = consumer.settle?.bind(consumer)
  const verify = consumer.verify?.bind(consumer)
  return {
    ...(consumer.holder === undefined ? {} : { holder: consumer.holder }),
    fetch: (max, options) => consumer.fetch(max, options),
    ack: (deliveries) => once(consumer.ack(deliveries)),
    handBack: (items) => consumer.handBack(items),
    ...(settle === undefined ? {} : { settle: (settlements) => once(settle(settlements)) }),
    ...(verify === undefined ? {} : { verify }),
    setCredit: (credit) => consumer.setCredit(credit),
    close: () => consumer.close(),
  }
}

function withLosingConsumers(broker: Broker): Broker {
  const consume: Broker['consume'] = async (queues, options) =>
    losingOneAnswer(await broker.consume(queues, options))
  return new Proxy(broker, {
    get: (target, name): unknown => {
      if (name === 'consume') return consume
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

// A claim of RabbitMQ ends with its connection, and the message comes again.
const stores = killStores().filter(({ hasLeases }) => hasLeases)
const places = stores.flatMap((store) =>
  [false, true].map((apart) => [`${store.name}${apart ? ', results elsewhere' : ''}`, store, apart] as const),
)

/** Runs a task whose settlement is applied and not answered. */
async function lostAnswer(
  [, store, apart]: (typeof places)[number],
  options: { readonly ignoreResult: boolean },
): Promise<{ readonly ended: readonly string[]; readonly log: LogBook; readonly value: unknown }> {
  await using bench = await FaultBench.open({ lease: { seconds: 30 } }, apart, store)
  const { app } = bench.tasks
  const log = new LogBook()
  internalsOf(app).logger = log
  const ended: string[] = []
  const note = (event: { readonly state: string }): void => void ended.push(event.state)
  const pay = app.task(
    { name: 'test.pay', ...options, onSuccess: note, afterReturn: () => void ended.push('after') },
    () => 'paid',
  )
  const open = internalsOf(app).openBroker.bind(internalsOf(app))
  internalsOf(app).openBroker = async () => withLosingConsumers(await open())
  await using worker = new Worker(app)
  await worker.start()

  const good = await pay.delay()
  await eventually(() => (ended.length >= 2 ? ended : undefined))
  return { ended, log, value: options.ignoreResult ? undefined : await good.get(20) }
}

describe.each(places)('a settlement on %s whose answer is lost', (...place) => {
  it('stands: the handlers run once, and no other worker is said to have the task', async () => {
    const { ended, log, value } = await lostAnswer(place, { ignoreResult: false })

    expect(ended).toEqual(['SUCCESS', 'after'])
    expect(value).toBe('paid')
    expect(log.find(/another worker has it/)).toBeUndefined()
    expect(log.find(/the answer did not arrive/)).toBeDefined()
  })

  // On SQS nothing but a stored result tells whose settlement stands.
  if (place[1].name !== 'SQS')
    it('stands also where no result is stored', async () => {
      const { ended, log } = await lostAnswer(place, { ignoreResult: true })

      expect(ended).toEqual(['SUCCESS', 'after'])
      expect(log.find(/another worker has it/)).toBeUndefined()
      expect(log.find(/the answer did not arrive/)).toBeDefined()
    })
})
