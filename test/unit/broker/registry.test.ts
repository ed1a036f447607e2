import { describe, expect, it } from '@jest/globals'
import { backendDrivers } from '../../../backends/index.js'
import { brokerDrivers } from '../../../brokers/index.js'
import { createBroker } from '../../../brokers/memory/index.js'
import { BackendRegistry } from '../../../src/backend/registry.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { BrokerRegistry } from '../../../src/broker/registry.js'
import type { BrokerDriver } from '../../../src/broker/registry.js'
import { ConfigError, DriverMissingError } from '../../../src/errors/errors.js'

const anyBroker = createBroker(parseConnectionUrl('memory://registry-test'), {})

function registryOf(...drivers: readonly Partial<BrokerDriver>[]): BrokerRegistry {
  const registry = new BrokerRegistry()
  for (const driver of drivers) {
    registry.register({ schemes: ['x'], load: async () => ({ createBroker: () => anyBroker }), ...driver })
  }
  return registry
}

function notFound(message: string): Error {
  return Object.assign(new TypeError(message), { code: 'ERR_MODULE_NOT_FOUND' })
}

describe('BrokerRegistry', () => {
  it('loads a driver only when a URL asks for it', async () => {
    const loaded: string[] = []
    const spy = (name: string): Partial<BrokerDriver> => ({
      schemes: [name],
      load: async () => {
        loaded.push(name)
        return { createBroker: () => anyBroker }
      },
    })
    const registry = registryOf(spy('one'), spy('two'))

    await registry.open('two://h')

    expect(loaded).toEqual(['two'])
    expect(registry.schemes).toEqual(['one', 'two'])
  })

  it('suggests the scheme that was meant', async () => {
    const registry = registryOf({ schemes: ['redis', 'rediss'] })

    await expect(registry.open('redsi://h')).rejects.toThrow('did you mean "redis"')
    await expect(registry.open('redsi://h')).rejects.toBeInstanceOf(ConfigError)
    await expect(registry.open('zzz://h')).rejects.toThrow('known are: redis, rediss')
  })

  it('shows for django:// how to hand over a Knex instance', async () => {
    await expect(registryOf({}).open('django://')).rejects.toThrow('{ broker: knex }')
  })

  it('never shows the password of a URL it does not know', async () => {
    const opening = registryOf({}).open('zzz://u:s3cret@h')

    await expect(opening).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
    )
  })

  it.each([
    ['postgresql+psycopg2://u@h/db', 'postgresql', 'psycopg2'],
    ['sqla+postgresql+asyncpg://u@h/db', 'sqla+postgresql', 'asyncpg'],
    ['sqla+postgresql://u@h/db', 'sqla+postgresql', undefined],
  ])('reads the suffix of %s', async (text, scheme, driver) => {
    const registry = registryOf({ schemes: ['postgresql', 'sqla+postgresql'], acceptsDriverSuffix: true })

    const { url } = registry.find(text)

    expect(url.scheme).toBe(scheme)
    expect(url.driver).toBe(driver)
    expect(url.text).toBe(text)
  })

  it('reads no suffix where the driver accepts none', () => {
    expect(() => registryOf({ schemes: ['redis'] }).find('redis+fast://h')).toThrow(ConfigError)
  })

  it('says which package is missing, and only when it is exactly that one', async () => {
    const missing = notFound("Cannot find package 'ioredis' imported from broker.js")
    const other = notFound("Cannot find package 'denque' imported from ioredis.js")
    const open = (error: Error): Promise<unknown> =>
      registryOf({ packageName: 'ioredis', load: () => Promise.reject(error) }).open('x://')

    await expect(open(missing)).rejects.toBeInstanceOf(DriverMissingError)
    await expect(open(missing)).rejects.toMatchObject({ packageName: 'ioredis', cause: missing })
    await expect(open(other)).rejects.toBe(other)
  })

  it('returns a broker object as it is', async () => {
    expect(await registryOf({}).open(anyBroker)).toBe(anyBroker)
  })

  it('hands an object of the application to the driver that accepts it', async () => {
    const handle = Object.assign(() => undefined, { raw: true })
    let given: unknown
    const registry = registryOf({
      accepts: (target) => 'raw' in target,
      load: async () => ({
        createBroker: (_url, options) => {
          given = options.target
          return anyBroker
        },
      }),
    })

    await registry.open(handle)

    expect(given).toBe(handle)
    await expect(registry.open({ other: true })).rejects.toBeInstanceOf(ConfigError)
  })
})

describe('the driver tables', () => {
  it('have modules that another thread can import', async () => {
    for (const driver of [...brokerDrivers, ...backendDrivers]) {
      expect(driver.moduleUrl).toMatch(/^file:.*\/(brokers|backends)\/[a-z]+\/index\.js$/)
    }
  })

  it('open memory by URL and by bare name', async () => {
    const registry = new BrokerRegistry()
    for (const driver of brokerDrivers) registry.register(driver)
    const backends = new BackendRegistry()
    for (const driver of backendDrivers) backends.register(driver)

    expect((await registry.open('memory://')).name).toBe('memory')
    expect((await registry.open('memory')).name).toBe('memory')
    expect(backends.schemes).toContain('cache+memory')
  })

  it('refuse an option the driver does not know', async () => {
    const registry = new BrokerRegistry()
    for (const driver of brokerDrivers) registry.register(driver)

    await expect(registry.open('memory://?lease=true')).rejects.toThrow('did you mean "leases"')
  })
})
