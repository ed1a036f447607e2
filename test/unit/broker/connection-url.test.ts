import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { ConfigError } from '../../../src/errors/errors.js'

function thrownBy(action: () => unknown): Error | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : undefined
  }
}

describe('parseConnectionUrl', () => {
  it.each([
    ['amqp://u:p@h:5672//', '/'],
    ['amqp://u:p@h:5672//vhost', '/vhost'],
    ['amqp://u:p@h:5672/vhost', 'vhost'],
    ['amqp://u:p@h:5672/', ''],
    ['amqp://u:p@h', ''],
    ['amqp://h/a%2Fb', 'a/b'],
    ['sqlite:///relative.db', 'relative.db'],
    ['sqlite:////var/lib/absolute.db', '/var/lib/absolute.db'],
    ['sqlite:///C:\\data\\my.db', 'C:\\data\\my.db'],
    ['sqlite:///my%20file.db?timeout=5', 'my file.db'],
    ['sqlite://', ''],
    ['sqlite:///:memory:', ':memory:'],
  ])('reads the path of %s as %j', (url, path) => {
    expect(parseConnectionUrl(url).path).toBe(path)
  })

  it('reads every part, percent-decoded', () => {
    const url = parseConnectionUrl('AMQPS://us%40er:p%40ss%2Fw@example.org:5671//v?heartbeat=10&name=a%20b')

    expect(url.scheme).toBe('amqps')
    expect(url.username).toBe('us@er')
    expect(url.password).toBe('p@ss/w')
    expect(url.host).toBe('example.org')
    expect(url.port).toBe(5671)
    expect(url.path).toBe('/v')
    expect(url.query).toEqual({ heartbeat: '10', name: 'a b' })
  })

  it('reads at signs and colons of a password that should have been escaped', () => {
    const url = parseConnectionUrl('redis://:p@ss:word@h:1/0')

    expect(url.password).toBe('p@ss:word')
    expect(url.username).toBeUndefined()
    expect(url.host).toBe('h')
  })

  describe.each([
    'amqp',
    'redis',
    'sentinel',
    'postgresql',
    'sqla+mysql',
    'mongodb',
    'sqs',
    'rpc',
    'nonsense',
  ])('%s://', (scheme) => {
    it.each(['/', '?', '#', ' '])('refuses a password with a raw %j and does not show it', (raw) => {
      const error = thrownBy(() => parseConnectionUrl(`${scheme}://user:777${raw}hunter2@host/v`))

      expect(error).toBeInstanceOf(ConfigError)
      expect(error?.message).toContain(`"${scheme}://user:**@host/v"`)
      expect(error?.message).toContain('%2F')
      expect(inspect(error)).not.toMatch(/777|hunter2/)
    })
  })

  it('takes what stands before an at sign of a path for a path where no server is named', () => {
    expect(parseConnectionUrl('sqlite:////home/me@work/file.db').path).toBe('/home/me@work/file.db')
  })

  it('tells no password from an empty one', () => {
    expect(parseConnectionUrl('redis://u@h').password).toBeUndefined()
    expect(parseConnectionUrl('redis://u:@h').password).toBe('')
  })

  it('reads several hosts and IPv6 addresses', () => {
    expect(parseConnectionUrl('mongodb://a:1,b,[::1]:3/db').hosts).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: undefined },
      { host: '::1', port: 3 },
    ])
  })

  it('takes a bare name for a URL without the rest', () => {
    const url = parseConnectionUrl('memory')

    expect(url.scheme).toBe('memory')
    expect(url.text).toBe('memory://')
    expect(url.hosts).toEqual([])
  })

  it.each(['', 'not a url', 'redis:/h', '//h', 'amqp://h:99999', 'amqp://h:x', 'amqp://u:%zz@h'])(
    'refuses %j',
    (text) => {
      expect(() => parseConnectionUrl(text)).toThrow(ConfigError)
    },
  )

  it('shows no secret when it is printed', () => {
    const url = parseConnectionUrl('redis://user:s3cret@h:6379/0?password=s3cret')

    const printed = [String(url), JSON.stringify({ url }), inspect(url, { depth: 5 }), inspect({ ...url })]

    for (const text of printed) expect(text).not.toContain('s3cret')
    expect(String(url)).toContain('redis://user:**@h:6379/0')
  })

  it.each(['amqp://u:s3cret@h:99999/', 'redis://:s3cret', 'redis://user:s3cret/0', 'amqp://a:1,user:s3cret'])(
    'shows no secret in the error of the broken URL %s',
    (url) => {
      expect(() => parseConnectionUrl(url)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
      )
    },
  )
})
