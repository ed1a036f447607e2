import { describe, expect, it } from '@jest/globals'
import { Lovage } from '../../../src/index.js'
import { internalsOf } from '../../../src/util/internals.js'
import { chooseBackend, chooseBroker } from '../../../src/config/backend-choice.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { resolveConfig } from '../../../src/config/resolve.js'
import { ConfigError } from '../../../src/errors/errors.js'

const store = { client: 'a pool' }

function backend(input: ConfigInput): unknown {
  return chooseBackend(resolveConfig(input))
}

describe('chooseBackend', () => {
  it.each<[string, ConfigInput]>([
    ['no broker', {}],
    ['a Redis broker', { broker: 'redis://localhost/0' }],
    ['a Sentinel broker', { broker: 'sentinel://a;sentinel://b' }],
    ['a SQL broker', { broker: 'postgresql+psycopg2://localhost/app' }],
    ['kombu tables', { broker: 'sqla+sqlite:///x.db' }],
    ['a MongoDB broker', { broker: 'mongodb+srv://host/db' }],
    ['a memory broker', { broker: 'memory://' }],
    ['an object as broker', { broker: store }],
  ])('keeps results beside the messages with %s', (_what, input) => {
    expect(backend(input)).toEqual({ kind: 'same-store' })
  })

  it.each([
    ['amqp://localhost', 'set backend to "rpc://"'],
    ['amqps://localhost', 'set backend to "rpc://"'],
    ['pyamqp://', 'set backend to "rpc://"'],
    ['sqs://', 'a Redis, SQL or MongoDB URL'],
  ])('has none with %s, and says what fits', async (url, advice) => {
    const app = internalsOf(new Lovage('shop', { broker: url }))
    expect(await app.optionalBackend()).toBeUndefined()
    await expect(app.resultBackend()).rejects.toThrow(advice)
  })

  it.each<[string, ConfigInput]>([
    ['false', { backend: false }],
    ['disabled://', { backend: 'disabled://' }],
    ['disabled', { backend: 'disabled' }],
  ])('is off for %s', (_what, input) => {
    expect(backend({ broker: 'redis://', ...input })).toEqual({ kind: 'off' })
  })

  it.each<[string, ConfigInput, string]>([
    ['a URL', { backend: 'redis://host/1' }, 'redis://host/1'],
    ['rpc', { backend: 'rpc' }, 'rpc://'],
    ['the old amqp', { backend: 'amqp' }, 'rpc://'],
    ['an amqp URL', { backend: 'amqp://guest@localhost//' }, 'rpc://'],
    ['redis', { backend: 'redis' }, 'redis://localhost:6379/0'],
    [
      'redis and its parts',
      { backend: 'redis', redisHost: 'r', redisPort: 7000, redisDb: 3, redisPassword: 'p@ss' },
      'redis://:p%40ss@r:7000/3',
    ],
    ['mongodb', { backend: 'mongodb' }, 'mongodb://localhost:27017/celery'],
    [
      'mongodb and its settings',
      {
        backend: 'mongodb',
        mongodbBackendSettings: { host: 'm', port: 1, database: 'd', user: 'u', password: 'p' },
      },
      'mongodb://u:p@m:1/d',
    ],
    [
      'mongodb and the members of a replica set',
      { backend: 'mongodb', mongodbBackendSettings: { host: ['a:1', 'b:2'], user: 'u', password: 'p' } },
      'mongodb://u:p@a:1,b:2/celery',
    ],
    ['database', { backend: 'database', databaseUrl: 'sqlite:///x.db' }, 'db+sqlite:///x.db'],
    ['cache', { backend: 'cache' }, 'cache+memory://'],
    ['cache and its setting', { backend: 'cache', cacheBackend: 'memcached://a/' }, 'cache+memcached://a/'],
    ['cache+memory://', { backend: 'cache+memory://' }, 'cache+memory://'],
    ['a SQL URL without a broker', { backend: 'db+mysql://h/d' }, 'db+mysql://h/d'],
  ])('is a URL for %s', (_what, input, url) => {
    expect(backend(input)).toEqual({ kind: 'target', target: url })
  })

  it('is the object that was handed over', () => {
    expect(backend({ broker: 'amqp://', backend: store })).toEqual({ kind: 'target', target: store })
  })

  it('asks for the URL that the name database needs', () => {
    expect(() => backend({ backend: 'database' })).toThrow(ConfigError)
    expect(() => backend({ backend: 'database' })).toThrow('needs databaseUrl')
  })
})

describe('chooseBroker', () => {
  it('is the embedded file when nothing is set', () => {
    expect(chooseBroker(resolveConfig())).toEqual({ kind: 'embedded' })
  })

  it('splits a failover list', () => {
    expect(chooseBroker(resolveConfig({ broker: 'amqp://a; amqp://b;' }))).toEqual({
      kind: 'urls',
      urls: ['amqp://a', 'amqp://b'],
    })
    expect(chooseBroker(resolveConfig({ broker: ['redis://a', 'redis'] }))).toEqual({
      kind: 'urls',
      urls: ['redis://a', 'redis://'],
    })
  })

  it('puts the URL together from its parts', () => {
    const config = resolveConfig({
      brokerTransport: 'amqp',
      brokerHost: 'mq',
      brokerPort: 5673,
      brokerUser: 'me',
      brokerPassword: 'p@ss/word',
      brokerVhost: '/shop',
    })

    expect(chooseBroker(config)).toEqual({ kind: 'urls', urls: ['amqp://me:p%40ss%2Fword@mq:5673/%2Fshop'] })
  })

  it.each([
    ['::1', 5673, 'amqp://[::1]:5673'],
    ['[::1]', undefined, 'amqp://[::1]'],
    ['mq:5674', undefined, 'amqp://mq:5674'],
  ])('puts the host %s into a URL', (brokerHost, brokerPort, url) => {
    const config = resolveConfig({ brokerHost, ...(brokerPort !== undefined && { brokerPort }) })

    expect(chooseBroker(config)).toEqual({ kind: 'urls', urls: [url] })
  })

  it('splits several URLs, and no password', () => {
    const config = resolveConfig({ broker: 'redis://:a;b@one;redis://two; memory' })

    expect(chooseBroker(config)).toEqual({
      kind: 'urls',
      urls: ['redis://:a;b@one', 'redis://two', 'memory://'],
    })
  })

  it('is the object that was handed over', () => {
    expect(chooseBroker(resolveConfig({ broker: store }))).toEqual({ kind: 'instance', instance: store })
  })
})
