import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { ConfigError, Lovage } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/index.js'
import { makeCertificates } from '../../support/certificates.js'
import { tempFolder, type TempFolder } from '../../support/temp.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

const PASSWORD = 'pass-in-the-clear'
/** What a client of PostgreSQL and one of MySQL say before they speak TLS. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const MYSQL_REQUEST_BYTES = 36
const HANDSHAKE = 0x16

/** The greeting of a server of MySQL that speaks TLS. */
function mysqlGreeting(): Buffer {
  const body = Buffer.concat([
    Buffer.from([10]),
    Buffer.from('8.0.0\0'),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from('saltsalt\0'),
    // Capabilities with protocol 4.1, TLS, secure connections and plugins.
    Buffer.from([0xff, 0xff, 45, 2, 0, 0xff, 0xff, 21]),
    Buffer.alloc(10),
    Buffer.from('saltsaltsalt\0'),
    Buffer.from('mysql_native_password\0'),
  ])
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body])
}

/** A plain socket that notes what comes, and ends each connection once it has seen who speaks. */
class Listener {
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => this.#accept(socket))
  heard = Buffer.alloc(0)
  #isMysql = false

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  begin(scheme: string): void {
    this.heard = Buffer.alloc(0)
    this.#isMysql = /mysql|mariadb/.test(scheme)
  }

  /** What was said after a request for TLS, if there was one. */
  get spoken(): Buffer {
    if (this.heard.subarray(0, 8).equals(SSL_REQUEST)) return this.heard.subarray(8)
    return this.#isMysql ? this.heard.subarray(MYSQL_REQUEST_BYTES) : this.heard
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    if (this.#isMysql) socket.write(mysqlGreeting())
    socket.on('data', (data) => {
      this.heard = Buffer.concat([this.heard, data])
      if (data.equals(SSL_REQUEST)) socket.write('S')
      else if (!this.#isMysql || data.length !== MYSQL_REQUEST_BYTES) setTimeout(() => socket.destroy(), 50)
    })
  }
}

const listener = new Listener()
let port = 0
let folder: TempFolder
let ca = ''

beforeAll(async () => {
  port = await listener.open()
  folder = await tempFolder('tls-asked')
  ca = (await makeCertificates(folder)).ca
})

afterAll(async () => {
  listener.close()
  await folder.remove()
})

/** Open broker or backend; the error, if it is one of the settings. */
async function connect(which: 'broker' | 'backend', settings: ConfigInput): Promise<Error | undefined> {
  listener.begin(JSON.stringify(settings[which]))
  try {
    const app = new Lovage('tls', { brokerConnectionTimeout: 2, ...settings })
    await using _closing = app
    if (which === 'broker') await internalsOf(app).broker()
    else await app.AsyncResult('x').state()
  } catch (error) {
    return error instanceof ConfigError ? error : undefined
  }
  return undefined
}

const at = (scheme: string, rest = ''): string =>
  `${scheme}://user:${PASSWORD}@127.0.0.1:${String(port)}${rest}`
const withCa = (url: string): string => `${url}${encodeURIComponent(ca)}`
const OBJECT = { ssl_cert_reqs: 'required' }

/** Each way to ask for TLS, with what is to come of it. */
const brokers: readonly (readonly ['tls' | 'refused', string, () => ConfigInput])[] = [
  ['tls', 'redis, ssl_cert_reqs', () => ({ broker: at('redis', '/0?ssl_cert_reqs=required') })],
  ['tls', 'redis, ssl_cert_reqs of Python', () => ({ broker: at('redis', '/0?ssl_cert_reqs=CERT_NONE') })],
  ['refused', 'redis, another ssl_cert_reqs', () => ({ broker: at('redis', '/0?ssl_cert_reqs=some') })],
  ['refused', 'rediss, another ssl_cert_reqs', () => ({ broker: at('rediss', '/0?ssl_cert_reqs=some') })],
  ['tls', 'redis, ssl_ca_certs', () => ({ broker: withCa(at('redis', '/0?ssl_ca_certs=')) })],
  ['refused', 'redis, a file that is not there', () => ({ broker: at('redis', '/0?ssl_ca_certs=/nowhere') })],
  ['tls', 'redis, ssl in the URL', () => ({ broker: at('redis', '/0?ssl=true') })],
  ['refused', 'redis, another ssl', () => ({ broker: at('redis', '/0?ssl=perhaps') })],
  ['refused', 'rediss without TLS', () => ({ broker: at('rediss', '/0?ssl=false') })],
  ['tls', 'redis, brokerUseSsl', () => ({ broker: at('redis', '/0'), brokerUseSsl: true })],
  ['tls', 'redis, brokerUseSsl as an object', () => ({ broker: at('redis', '/0'), brokerUseSsl: OBJECT })],
  [
    'tls',
    'redis, brokerUseSsl as Python has it',
    () => ({ broker: at('redis'), brokerUseSsl: { ssl_cert_reqs: 2 } }),
  ],
  ['refused', 'redis, an unknown word', () => ({ broker: at('redis'), brokerUseSsl: { ssl_ca_cert: 'x' } })],
  [
    'tls',
    'redis, a text among options',
    () => ({ broker: at('redis'), brokerTransportOptions: { ssl: 'true' } }),
  ],
  [
    'refused',
    'redis, brokerUseSsl against an option',
    () => ({ broker: at('redis'), brokerUseSsl: true, brokerTransportOptions: { ssl: false } }),
  ],
  ['tls', 'redis cluster', () => ({ broker: at('redis+cluster', '/0?ssl_cert_reqs=required') })],
  ['tls', 'amqp, brokerUseSsl', () => ({ broker: at('amqp', '//'), brokerUseSsl: true })],
  ['tls', 'amqp, ssl as a text', () => ({ broker: at('amqp', '//?ssl=1') })],
  ['refused', 'amqp, another ssl', () => ({ broker: at('amqp', '//?ssl=perhaps') })],
  ['refused', 'amqps without TLS', () => ({ broker: at('amqps', '//?ssl=false') })],
  ['refused', 'amqp, another cert_reqs', () => ({ broker: at('amqp', '//?ssl_cert_reqs=some') })],
  ['refused', 'amqp, an unknown word', () => ({ broker: at('amqp', '//'), brokerUseSsl: { cacerts: 'x' } })],
  ['tls', 'postgresql, brokerUseSsl', () => ({ broker: at('postgresql', '/db'), brokerUseSsl: true })],
  [
    'tls',
    'postgresql, brokerUseSsl as an object',
    () => ({ broker: at('postgresql', '/db'), brokerUseSsl: OBJECT }),
  ],
  ['tls', 'postgresql, sslmode', () => ({ broker: at('postgresql', '/db?sslmode=require') })],
  ['tls', 'postgresql, only a file', () => ({ broker: withCa(at('postgresql', '/db?sslrootcert=')) })],
  ['refused', 'postgresql, another sslmode', () => ({ broker: at('postgresql', '/db?sslmode=some') })],
  [
    'refused',
    'postgresql, a file and no TLS',
    () => ({ broker: withCa(at('postgresql', '/db?sslmode=disable&sslrootcert=')) }),
  ],
  [
    'refused',
    'postgresql, an unknown word',
    () => ({ broker: at('postgresql'), brokerUseSsl: { rootcert: 'x' } }),
  ],
  ['tls', 'mysql, brokerUseSsl', () => ({ broker: at('mysql', '/db'), brokerUseSsl: true })],
  [
    'tls',
    'mysql, ssl among options',
    () => ({ broker: at('mysql', '/db'), brokerTransportOptions: { ssl: 'true' } }),
  ],
  ['tls', 'mariadb, sslmode', () => ({ broker: at('mariadb', '/db?sslmode=verify-full') })],
  ['tls', 'mongodb, brokerUseSsl', () => ({ broker: at('mongodb', '/db'), brokerUseSsl: true })],
  [
    'tls',
    'mongodb, brokerUseSsl as an object',
    () => ({ broker: at('mongodb', '/db'), brokerUseSsl: OBJECT }),
  ],
  [
    'tls',
    'mongodb, ssl as a text',
    () => ({ broker: at('mongodb'), brokerTransportOptions: { ssl: 'true' } }),
  ],
  ['tls', 'mongodb, tls', () => ({ broker: at('mongodb', '/db?tls=true') })],
  ['tls', 'mongodb, only a file', () => ({ broker: withCa(at('mongodb', '/db?tlsCAFile=')) })],
  [
    'refused',
    'mongodb, a file and no TLS',
    () => ({ broker: withCa(at('mongodb', '/db?tls=false&tlsCAFile=')) }),
  ],
  ['refused', 'mongodb, an unknown word', () => ({ broker: at('mongodb'), brokerUseSsl: { cacerts: 'x' } })],
  ['refused', 'sqs, brokerUseSsl', () => ({ broker: at('sqs'), brokerUseSsl: true })],
  [
    'tls',
    'sqs, is_secure',
    () => ({ broker: at('sqs'), brokerTransportOptions: { is_secure: 'true', region: 'a' } }),
  ],
  ['refused', 'memory, brokerUseSsl', () => ({ broker: 'memory://', brokerUseSsl: true })],
  ['refused', 'sqlite, brokerUseSsl', () => ({ broker: 'sqlite://', brokerUseSsl: true })],
]

const backends: readonly (readonly ['tls' | 'refused', string, () => ConfigInput])[] = [
  ['tls', 'redis, redisBackendUseSsl', () => ({ backend: at('redis', '/0'), redisBackendUseSsl: true })],
  [
    'tls',
    'redis, redisBackendUseSsl as an object',
    () => ({ backend: at('redis'), redisBackendUseSsl: OBJECT }),
  ],
  [
    'refused',
    'redis, another ssl_cert_reqs',
    () => ({ backend: at('redis'), redisBackendUseSsl: { ssl_cert_reqs: 'x' } }),
  ],
  ['tls', 'redis, ssl_cert_reqs', () => ({ backend: at('redis', '/0?ssl_cert_reqs=required') })],
  [
    'tls',
    'redis, ssl among options',
    () => ({ backend: at('redis'), resultBackendTransportOptions: { ssl: 'true' } }),
  ],
  ['tls', "the broker's Redis", () => ({ backend: at('redis'), broker: at('redis'), brokerUseSsl: true })],
  [
    'tls',
    "the broker's PostgreSQL",
    () => ({ backend: at('postgresql'), broker: at('postgresql'), brokerUseSsl: true }),
  ],
  ['tls', 'db+mysql, sslmode', () => ({ backend: at('db+mysql', '/db?sslmode=require') })],
  ['tls', 'mongodb, only a file', () => ({ backend: withCa(at('mongodb', '/db?tlsCAFile=')) })],
]

describe.each([
  ['broker', brokers],
  ['backend', backends],
] as const)('TLS that is asked for, %s', (which, table) => {
  it.each(table)('is in force, or an error: %s: %s', async (wanted, _what, settings) => {
    const refusal = await connect(which, settings())

    expect(refusal === undefined ? 'tls' : 'refused').toBe(wanted)
    expect(listener.heard.includes(PASSWORD)).toBe(false)
    if (wanted === 'tls') expect(listener.spoken[0]).toBe(HANDSHAKE)
    else expect(listener.heard).toHaveLength(0)
    expect(refusal?.message ?? '').not.toContain(PASSWORD)
  })
})

describe('a listener that speaks no TLS', () => {
  it('hears the password of a connection that asks for none', async () => {
    expect(await connect('broker', { broker: at('redis', '/0') })).toBeUndefined()

    expect(listener.heard.includes(PASSWORD)).toBe(true)
  })
})
