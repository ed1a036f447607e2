import { describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'

import { BrokerConnectionError, Lovage } from '../../../src/index.js'
import { locationOfOpened } from '../../../src/app/stores.js'
import { createBroker } from '../../../brokers/memory/index.js'
import { internalsOf } from '../../../src/util/internals.js'

/** An app with brokers `a` and `b`, of which those in `down` do not answer. */
function appWith(down: Set<string>, input: object = {}): { app: Lovage; opened: string[] } {
  const opened: string[] = []
  const id = randomUUID()
  const app = new Lovage('shop', { broker: `tried://a;tried://b`, backend: false, ...input })
  app.brokers.register({
    schemes: ['tried'],
    load: async () => ({
      createBroker: (url, options) => {
        const host = url.host ?? ''
        const broker = createBroker(app.brokers.find(`memory://${id}-${host}`).url, options)
        const connect = broker.connect.bind(broker)
        broker.connect = async (signal) => {
          opened.push(host)
          if (down.has(host)) throw new BrokerConnectionError(`${host} is down`)
          await connect(signal)
        }
        return broker
      },
    }),
  })
  return { app, opened }
}

describe('several brokers', () => {
  it('are tried in order until one answers, which is asked first from then on', async () => {
    const { app, opened } = appWith(new Set(['a']))

    const first = await internalsOf(app).openBroker()
    const second = await internalsOf(app).openBroker()

    expect(opened).toEqual(['a', 'b', 'b'])
    expect(locationOfOpened(first)?.target).toBe('tried://b')
    await Promise.all([first.close(), second.close()])
  })

  it('that are all down give the error of the last', async () => {
    const { app } = appWith(new Set(['a', 'b']))

    await expect(internalsOf(app).openBroker()).rejects.toThrow('b is down')
  })

  it('are tried as a function says', async () => {
    const given: (readonly string[])[] = []
    const brokerFailoverStrategy = (urls: readonly string[]): Iterable<string> => {
      given.push(urls)
      return [...urls].reverse()
    }
    const { app, opened } = appWith(new Set(['b']), { brokerFailoverStrategy })

    await (await internalsOf(app).openBroker()).close()

    expect(given).toEqual([['tried://a', 'tried://b']])
    expect(opened).toEqual(['b', 'a'])
  })

  it.each([
    ['nothing', []],
    ['a stranger', ['tried://c']],
  ])('are refused when a function gives %s', async (_what, urls) => {
    const { app } = appWith(new Set(), { brokerFailoverStrategy: () => urls })

    await expect(internalsOf(app).openBroker()).rejects.toThrow(
      'expected brokerFailoverStrategy to give URLs of the broker, in the order to try them',
    )
  })

  it('are shuffled when asked', async () => {
    const firsts = new Set<string | undefined>()
    for (let round = 0; round < 60 && firsts.size < 2; round += 1) {
      const { app, opened } = appWith(new Set(), { brokerFailoverStrategy: 'shuffle' })
      await (await internalsOf(app).openBroker()).close()
      firsts.add(opened[0])
    }

    expect(firsts).toEqual(new Set(['a', 'b']))
  })
})
