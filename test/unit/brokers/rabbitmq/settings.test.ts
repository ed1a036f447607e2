import { describe, expect, it } from '@jest/globals'
import { readSettings } from '../../../../brokers/rabbitmq/settings.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'

function read(url: string, options: Readonly<Record<string, unknown>> = {}): ReturnType<typeof readSettings> {
  return readSettings(parseConnectionUrl(url), options)
}

describe('RabbitMQ settings', () => {
  it.each([
    ['amqp://', '/', 'localhost', 5672],
    ['amqp://host', '/', 'host', 5672],
    ['amqp://host//', '/', 'host', 5672],
    ['pyamqp://host:1234//vhost', '/vhost', 'host', 1234],
    ['amqps://host/vhost', 'vhost', 'host', 5671],
    ['amqp://host/%2Fa%20b', '/a b', 'host', 5672],
  ])('%s has the virtual host %s', (url, vhost, hostname, port) => {
    expect(read(url).server).toMatchObject({ vhost, hostname, port })
  })

  it('decodes name and password, and leaves both to the server where there are none', () => {
    expect(read('amqp://user%40x:p%40ss@host').server).toMatchObject({ username: 'user@x', password: 'p@ss' })
    expect(read('amqp://host').server).not.toHaveProperty('username')
  })

  it('never shows the password in its label', () => {
    expect(read('amqp://user:secret@host/shop').label).toBe('rabbitmq at host:5672/shop')
  })

  it('turns TLS on by scheme or option, and checks certificates unless told otherwise', () => {
    expect(read('amqp://host').tls).toBeUndefined()
    expect(read('amqps://host').tls).toEqual({ rejectUnauthorized: true })
    expect(read('amqp://host', { ssl: { cert_reqs: 'CERT_NONE' } })).toMatchObject({
      server: { protocol: 'amqps', port: 5671 },
      tls: { rejectUnauthorized: false },
    })
  })

  it('takes TLS options from the query as from ssl', () => {
    expect(read('amqp://host?ssl_cert_reqs=CERT_NONE&ssl_check_hostname=false')).toMatchObject({
      server: { protocol: 'amqps', port: 5671 },
      tls: { rejectUnauthorized: false, checkServerIdentity: expect.any(Function) },
    })
    expect(() => read('amqps://host?ssl_ca_certs=/nowhere/ca.pem')).toThrow(/cannot read ca_certs/)
  })

  it('takes options of the URL over those of the transport, in seconds', () => {
    const settings = read('amqp://host?heartbeat=20&consumer_timeout=60', {
      heartbeat: 5,
      connect_timeout: 2,
    })

    expect(settings.server.heartbeat).toBe(20)
    expect(settings).toMatchObject({ consumerTimeoutMs: 60_000, connectTimeoutMs: 2_000 })
  })

  it.each([
    ['heartbeat', 'soon', /expected option "heartbeat" to be a number/],
    ['native_delayed_delivery_queue_type', 'stream', /quorum or classic/],
    ['login_method', 'GSSAPI', /PLAIN, AMQPLAIN or EXTERNAL/],
    ['heartbaet', 1, /did you mean "heartbeat"/],
    ['ssl', { ca_certs: '/nowhere/ca.pem' }, /cannot read ca_certs/],
  ])('refuses %s of %j', (name, value, words) => {
    expect(() => read('amqps://host', { [name]: value })).toThrow(words)
  })
})
