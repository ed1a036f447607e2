import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createBroker } from '../../../brokers/rabbitmq/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { Lovage } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { startWorker } from '../../../src/testing/index.js'
import { makeCertificates, type Certificates } from '../../support/certificates.js'
import { serviceUrl } from '../../support/service-url.js'
import { canStartRabbitmq, RabbitmqServer } from '../../support/rabbitmq-server.js'
import { tempFolder, type TempFolder } from '../../support/temp.js'
import { unusedPort } from '../../support/redis-server.js'

jest.setTimeout(120_000)

const withServer = canStartRabbitmq() ? describe : describe.skip
const shared = serviceUrl('rabbitmq')
const itHere = shared === undefined ? it.skip : it

itHere('a virtual host that is not there is an error of the connect, of a broker and of rpc://', async () => {
  const url = new URL(shared ?? '')
  url.pathname = '/no-such-vhost'
  const broker = createBroker(parseConnectionUrl(url.href), {})
  const app = new Lovage('login', { broker: url.href, backend: 'rpc://', taskPublishRetry: false })

  await expect(broker.connect(new AbortController().signal)).rejects.toMatchObject({
    code: 'LOVAGE_BROKER',
    retryable: false,
    message: expect.stringContaining('no-such-vhost'),
  })
  await expect(app.sendTask('login.add')).rejects.toMatchObject({
    code: 'LOVAGE_BACKEND',
    retryable: false,
    message: expect.stringContaining('no-such-vhost'),
  })
  await broker.close()
  await app.close()
})

withServer('a RabbitMQ server with TLS that takes no plain passwords', () => {
  let server: RabbitmqServer
  let folder: TempFolder
  let files: Certificates
  let secure: string

  beforeAll(async () => {
    folder = await tempFolder('certificates')
    files = await makeCertificates(folder)
    const port = await unusedPort()
    secure = `amqps://127.0.0.1:${String(port)}//`
    server = await RabbitmqServer.start(
      '# plugin rabbitmq_auth_mechanism_ssl',
      `listeners.ssl.1 = 127.0.0.1:${String(port)}`,
      `ssl_options.cacertfile = ${files.ca}`,
      `ssl_options.certfile = ${files.server.cert}`,
      `ssl_options.keyfile = ${files.server.key}`,
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = false',
      'ssl_cert_login_from = common_name',
      'auth_mechanisms.1 = AMQPLAIN',
      'auth_mechanisms.2 = EXTERNAL',
    )
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await folder.remove()
  })

  /** Send a task, run it, read its result. */
  async function roundTrip(broker: string, settings: ConfigInput): Promise<number> {
    const app = new Lovage('login', {
      backend: 'rpc://',
      broker,
      brokerConnectionRetryOnStartup: false,
      taskPublishRetry: false,
      ...settings,
    })
    const add = app.task('login.add', (x: number, y: number) => x + y)
    try {
      const result = await add.delay(1, 2)
      const worker = await startWorker(app, { concurrency: 1 })
      const sum = await result.get(20)
      await worker.stop()
      return sum
    } finally {
      await app.close()
    }
  }

  it('is entered by the method that brokerLoginMethod names, and by no other', async () => {
    expect(await roundTrip(server.url, { brokerLoginMethod: 'AMQPLAIN' })).toBe(3)

    // Refused for good; the reply queue is the first to ask.
    const refused = { code: 'LOVAGE_BACKEND', retryable: false }
    await expect(roundTrip(server.url, {})).rejects.toMatchObject(refused)
    const wrong = server.url.replace('guest:guest', 'guest:wrong')
    await expect(roundTrip(wrong, { brokerLoginMethod: 'AMQPLAIN' })).rejects.toMatchObject(refused)
  })

  it('is reached by TLS, and only where its certificate can be checked', async () => {
    const login = { brokerLoginMethod: 'AMQPLAIN' }
    const wrongCa = { ca_certs: files.client.cert }

    expect(await roundTrip(secure, { ...login, brokerUseSsl: { ca_certs: files.ca } })).toBe(3)
    expect(await roundTrip(`${secure}?ssl_ca_certs=${encodeURIComponent(files.ca)}`, login)).toBe(3)
    expect(await roundTrip(`${secure}?ssl_cert_reqs=CERT_NONE`, login)).toBe(3)
    await expect(roundTrip(secure, login)).rejects.toThrow(/certificate/)
    await expect(roundTrip(secure, { ...login, brokerUseSsl: wrongCa })).rejects.toThrow(/certificate/)
  })

  it('knows a client by its certificate, without a password', async () => {
    const { cert, key } = files.client
    const brokerUseSsl = { ca_certs: files.ca, certfile: cert, keyfile: key }

    expect(await roundTrip(secure, { brokerLoginMethod: 'EXTERNAL', brokerUseSsl })).toBe(3)
    const nameless = { brokerLoginMethod: 'EXTERNAL', brokerUseSsl: { ca_certs: files.ca } }
    await expect(roundTrip(secure, nameless)).rejects.toMatchObject({
      code: 'LOVAGE_BACKEND',
      retryable: false,
    })
  })
})
