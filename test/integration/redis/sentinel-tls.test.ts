import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Lovage, type ConfigInput } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { makeCertificates, type Certificates } from '../../support/certificates.js'
import { canStartRedis, RedisServer, unusedPort } from '../../support/redis-server.js'
import { tempFolder, type TempFolder } from '../../support/temp.js'

jest.setTimeout(60_000)

const PASSWORD = 'of-the-servers'
const SENTINEL_PASSWORD = 'of-the-sentinels'
const withServers = canStartRedis() ? describe : describe.skip

withServers('Redis behind a Sentinel, where the servers speak nothing but TLS', () => {
  let folder: TempFolder
  let certificates: Certificates
  let masterPort: number
  const servers: RedisServer[] = []

  beforeAll(async () => {
    folder = await tempFolder('sentinel-tls')
    certificates = await makeCertificates(folder)
    masterPort = await unusedPort()
    const tls = tlsLines().flatMap((line) => `--${line}`.split(' '))
    const ports = ['--port', '0', '--tls-port', String(masterPort)]
    servers.push(await RedisServer.start(...ports, ...tls, '--requirepass', PASSWORD))
  })

  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
    await folder?.remove()
  })

  function tlsLines(): readonly string[] {
    const { ca, server } = certificates
    const files = [`tls-cert-file ${server.cert}`, `tls-key-file ${server.key}`, `tls-ca-cert-file ${ca}`]
    return [...files, 'tls-auth-clients no', 'tls-replication yes']
  }

  /** Start a Sentinel; resolves with its port. */
  async function sentinel(isSecure: boolean): Promise<number> {
    const port = await unusedPort()
    const ports = isSecure ? ['port 0', `tls-port ${String(port)}`] : [`port ${String(port)}`]
    const account = [`sentinel auth-pass mymaster ${PASSWORD}`, `requirepass ${SENTINEL_PASSWORD}`]
    servers.push(await RedisServer.startSentinel('mymaster', masterPort, ...ports, ...tlsLines(), ...account))
    return port
  }

  /** Broker and results behind the Sentinel at this port. */
  function settings(port: number, tls: object, sentinelTls: object): ConfigInput {
    const url = `sentinel://:${PASSWORD}@127.0.0.1:${String(port)}/0`
    const sentinel_kwargs = { password: SENTINEL_PASSWORD, ...sentinelTls }
    const options = { master_name: 'mymaster', sentinel_kwargs }
    return {
      broker: url,
      brokerUseSsl: { ...tls },
      brokerTransportOptions: options,
      backend: url,
      redisBackendUseSsl: { ...tls },
      resultBackendTransportOptions: options,
      brokerConnectionTimeout: 3,
      taskPublishRetry: false,
    }
  }

  it.each([
    ['with TLS, too', true],
    ['without', false],
  ])('runs tasks and has their results: a Sentinel %s', async (_how, isSecure) => {
    const trust = { ssl_cert_reqs: 'required', ssl_ca_certs: certificates.ca }
    const port = await sentinel(isSecure)
    await using app = new Lovage('shop', settings(port, trust, isSecure ? trust : { ssl: false }))
    const add = app.task('tasks.add', (x: number, y: number) => x + y)
    await using _worker = await startWorker(app)

    expect(await (await add.delay(1, 2)).get(20)).toBe(3)
  })

  it.each([
    ['the servers', /certificate/],
    ['the Sentinels', /All sentinels are unreachable/],
  ])('refuses a certificate of %s that no known authority has signed', async (whose, message) => {
    const trust = { ssl_cert_reqs: 'required', ssl_ca_certs: certificates.ca }
    const strange = { ssl_cert_reqs: 'required' }
    const [tls, sentinelTls] = whose === 'the servers' ? [strange, trust] : [trust, strange]
    await using app = new Lovage('shop', settings(await sentinel(true), tls, sentinelTls))

    await expect(app.sendTask('tasks.add')).rejects.toThrow(message)
  })
})
