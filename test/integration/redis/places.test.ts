import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually } from '../../conformance/time.js'
import { makeCertificates } from '../../support/certificates.js'
import { createBackend } from '../../../backends/redis/index.js'
import { createBroker } from '../../../brokers/redis/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { Lovage } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { jsonCodec } from '../../conformance/index.js'
import { run } from '../../support/child.js'
import { canStartRedis, RedisServer, unusedPort } from '../../support/redis-server.js'
import { tempFolder, type TempFolder } from '../../support/temp.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { consume, openStage, server, type RedisStage } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(90_000)

/** Publish, claim and settle one message: the whole way there and back. */
async function roundTrip({ broker, backend }: RedisStage): Promise<readonly string[]> {
  const consumer = await consume(broker, { results: backend.oneStep })
  await broker.publish([outgoing('celery', 'hello')])
  const [delivery] = await take(consumer, 1)
  if (delivery === undefined || consumer.settle === undefined) throw new RangeError('nothing came')
  const record = { taskId: 'x', state: 'SUCCESS', result: 'done', children: [] }
  await consumer.settle([{ delivery, publish: [], record, recordTtlMs: 60_000 }])
  const stored = (await backend.load(['x'])).get('x')
  return [...textsOf([delivery]), String(stored?.result)]
}

const never = new AbortController().signal
const there = ['hello', 'done']
const withServer = server === '' ? describe.skip : describe
const withOwn = canStartRedis() ? describe : describe.skip

withServer('a Redis server', () => {
  it('is used in the database of the URL, and no other', async () => {
    const url = server.replace(/\/\d*$/, '/7')
    await using stage = await openStage(url)
    await stage.broker.publish([outgoing('celery', 'hello')]).catch(() => undefined)
    await using elsewhere = await openStage(url.replace(/7$/, '8'))

    expect(await roundTrip(stage)).toEqual(there)
    expect(await elsewhere.keys.dbsize()).toBe(0)
  })

  it('shows nothing of one prefix to another', async () => {
    await using one = await openStage()
    await using other = await openStage()
    await consume(one.broker)
    await one.broker.publish([outgoing('celery', 'hello')])

    expect(await take(await consume(other.broker), 1, 300)).toEqual([])
  })
})

withOwn('a Redis server of its own', () => {
  it('is reached by a socket, with a user and a password', async () => {
    await using own = await RedisServer.start(
      ...['--unixsocket', 'redis.sock', '--requirepass', 'everybody'],
      ...['--user', 'shop', 'on', '>s3cr:t', '~*', '&*', '+@all'],
    )
    const socket = `redis+socket://shop:s3cr%3At@${own.folder.file('redis.sock')}?virtual_host=2`
    const direct = own.url.replace('//', '//shop:s3cr%3At@')
    const wrong = own.url.replace('//', '//shop:wrong@')

    await using stage = await openStage(direct)
    expect(await roundTrip(stage)).toEqual(there)
    await expect(openStage(wrong)).rejects.toMatchObject({ code: 'LOVAGE_BROKER', retryable: false })
    await using local = await openStage(socket, {}, false)
    expect(await roundTrip(local)).toEqual(there)
  })

  it.each([
    ['database', '/99', {}, 'DB index is out of range'],
    ['password, where it asks for none', '/0', { password: 's3cret' }, 'without any password'],
    ['name of the connection', '/0', { client_name: 'a name' }, 'Client names cannot contain spaces'],
  ])('that refuses the %s is an error of broker and backend, and used in no other way', async (...given) => {
    const [, path, options, message] = given
    await using own = await RedisServer.start()
    const url = parseConnectionUrl(own.url.replace('/0', path))
    const broker = createBroker(url, { transportOptions: options })
    const backend = createBackend(url, { codec: jsonCodec, transportOptions: options })

    const connecting = broker.connect(never)
    await expect(connecting).rejects.toMatchObject({ code: 'LOVAGE_BROKER', retryable: false })
    await expect(connecting).rejects.toThrow(message)
    await expect(backend.connect(never)).rejects.toMatchObject({ code: 'LOVAGE_BACKEND', retryable: false })

    await broker.close()
    await backend.close()
  })

  it('that refuses the database at a reconnect gets nothing into another', async () => {
    await using own = await RedisServer.start()
    await using stage = await openStage(own.url.replace('/0', '/3'))
    const admin = new Redis(own.url)
    await admin.call('ACL', 'SETUSER', 'default', '-select')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')

    for (let time = 0; time < 20; time += 1) {
      await expect(stage.broker.declare({ name: 'q', lifetime: 'durable', bindings: [] })).rejects.toThrow()
      await sleep(10)
    }

    expect(await admin.dbsize()).toBe(0)
    await admin.call('ACL', 'SETUSER', 'default', '+@all')
    const declare = stage.broker.declare.bind(stage.broker, { name: 'q', lifetime: 'durable', bindings: [] })
    await eventually(() =>
      declare().then(
        () => true,
        () => false,
      ),
    )
    admin.disconnect()
  })

  it('that may evict keys is refused by name, unless that is wanted', async () => {
    await using own = await RedisServer.start('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')

    await expect(openStage(own.url)).rejects.toThrow(/maxmemory-policy allkeys-lru/)
    await using stage = await openStage(`${own.url}?allow_eviction=true`)
    expect(await roundTrip(stage)).toEqual(there)
  })

  it('is reached by TLS, and only with a certificate that can be checked', async () => {
    await using folder = await tempFolder('tls')
    const { ca } = await makeCertificates(folder)
    await using own = await tlsServer(folder, 'no')
    const url = `rediss://127.0.0.1:${String(own.tlsPort)}/0`

    await using checked = await openTls(`${url}?ssl_ca_certs=${encodeURIComponent(ca)}`)
    expect(await roundTrip(checked)).toEqual(there)
    await using lax = await openTls(`${url}?ssl_cert_reqs=CERT_NONE`)
    expect(await roundTrip(lax)).toEqual(there)
    await expect(openTls(url)).rejects.toThrow(/certificate/)
  })

  it('that asks clients for a certificate is reached by one, in the URL or in the options, and not without', async () => {
    await using folder = await tempFolder('tls')
    const { ca, client } = await makeCertificates(folder)
    await using own = await tlsServer(folder, 'yes')
    const url = `rediss://127.0.0.1:${String(own.tlsPort)}/0`
    const authority = { ssl_cert_reqs: 'required', ssl_ca_certs: ca }
    const words = { ...authority, ssl_certfile: client.cert, ssl_keyfile: client.key }

    await using queried = await openTls(`${url}?${new URLSearchParams(words).toString()}`)
    expect(await roundTrip(queried)).toEqual(there)
    await using settled = await openTls(url, { ssl: words })
    expect(await roundTrip(settled)).toEqual(there)
    await expect(openTls(`${url}?${new URLSearchParams(authority).toString()}`)).rejects.toMatchObject({
      code: 'LOVAGE_BROKER_CONNECTION',
    })
  })
})

/** A server that is reached by TLS too, with the certificates of a folder. */
async function tlsServer(
  folder: TempFolder,
  asksClients: 'yes' | 'no',
): Promise<RedisServer & { readonly tlsPort: number }> {
  const tlsPort = await unusedPort()
  const files = [
    ...['--tls-cert-file', folder.file('server.pem'), '--tls-key-file', folder.file('server.key')],
    ...['--tls-ca-cert-file', folder.file('ca.pem'), '--tls-auth-clients', asksClients],
  ]
  const server = await RedisServer.start('--tls-port', String(tlsPort), ...files)
  return Object.assign(server, { tlsPort })
}

/** The plain client of a stage is not needed, and cannot read such a URL. */
function openTls(url: string, options: object = {}): Promise<RedisStage> {
  return openStage(url, options, false)
}

withOwn('several sentinels', () => {
  it('name the master together, each in a URL of its own as Celery has them, with an account of their own', async () => {
    await using master = await RedisServer.start('--user', 'shop', 'on', '>s3cret', '~*', '&*', '+@all')
    const login = `sentinel auth-user mymaster shop\nsentinel auth-pass mymaster s3cret`
    await using sentinel = await RedisServer.startSentinel(
      'mymaster',
      master.port,
      'requirepass watch',
      login,
    )
    const silent = await unusedPort()
    const list = [silent, sentinel.port].map((port) => `sentinel://shop:s3cret@127.0.0.1:${String(port)}/4`)
    const settings = (sentinel_kwargs: unknown): ConfigInput => {
      const options = { master_name: 'mymaster', sentinel_kwargs }
      return {
        broker: list.join(';'),
        backend: list.join(';'),
        brokerTransportOptions: options,
        resultBackendTransportOptions: options,
      }
    }
    await using app = new Lovage('shop', settings({ password: 'watch' }))
    const add = app.task('shop.add', (x: number, y: number) => x + y)
    await using worker = new Worker(app)
    await worker.start()

    expect(await (await add.delay(1, 2)).get(20)).toBe(3)

    const plain = new Redis({ port: master.port, db: 4 })
    expect(await plain.keys('celery-task-meta-*')).toHaveLength(1)
    plain.disconnect()
    await using wrong = new Lovage('shop', settings({ password: 'wrong' }))
    await expect(internalsOf(wrong).broker()).rejects.toThrow('WRONGPASS')
    await using odd = new Lovage('shop', settings({ pasword: 'watch' }))
    await expect(internalsOf(odd).broker()).rejects.toThrow('did you mean "password"?')
  })
})

withOwn('Sentinel', () => {
  const servers: RedisServer[] = []

  afterAll(async () => {
    for (const one of servers) await one[Symbol.asyncDispose]()
  })

  it('names the new master after a failover, and nothing that was confirmed is lost', async () => {
    const master = await RedisServer.start('--repl-diskless-sync-delay', '0')
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(master.port))
    servers.push(master, replica)
    const sentinel = await RedisServer.startSentinel('mymaster', master.port)
    servers.push(sentinel)
    const watch = new Redis(replica.url)
    await eventually(async () => (await watch.info('replication')).includes('master_link_status:up'))
    await eventually(async () => {
      const ask = new Redis(sentinel.url)
      const known = JSON.stringify(await ask.call('SENTINEL', 'REPLICAS', 'mymaster'))
      ask.disconnect()
      return known.includes(String(replica.port))
    })
    const url = `sentinel://127.0.0.1:${String(sentinel.port)}/0?master_name=mymaster`
    await using stage = await openStage(url, { socket_timeout: 1 }, false)
    expect(await roundTrip(stage)).toEqual(there)
    await stage.broker.publish(['a', 'b', 'c'].map((text) => outgoing('celery', text)))
    await eventually(async () => (await watch.llen(`${stage.prefix}celery`)) === 3)

    await master.kill()
    const endMs = performance.now() + 30_000
    let isSent = false
    while (!isSent && performance.now() < endMs) {
      isSent = await stage.broker.publish([outgoing('celery', 'd')]).then(
        () => true,
        () => false,
      )
      if (!isSent) await sleep(100)
    }

    expect(textsOf(await take(await consume(stage.broker), 4))).toEqual(['a', 'b', 'c', 'd'])
    watch.disconnect()
  })
})

withOwn('a cluster', () => {
  const nodes: RedisServer[] = []

  afterAll(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]()
  })

  it('has all keys in one slot, and is used again after a failover', async () => {
    for (let count = 0; count < 6; count += 1) {
      nodes.push(
        await RedisServer.start(
          ...[
            '--cluster-enabled',
            'yes',
            '--cluster-node-timeout',
            '1000',
            '--repl-diskless-sync-delay',
            '0',
          ],
        ),
      )
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${String(port)}`)
    const made = await run('redis-cli', [
      ...['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'],
    ])
    expect(made.stdout).toContain('All 16384 slots covered')
    for (const node of nodes) {
      const client = new Redis(node.url)
      await eventually(async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
      // One that has never had the data does not take over.
      await eventually(async () => /role:master|master_link_status:up/.test(await client.info('replication')))
      client.disconnect()
    }
    const url = `redis+cluster://${addresses.join(',')}/0`

    await expect(openStage(nodes[0]?.url ?? '', {}, false)).rejects.toThrow(/redis\+cluster/)
    await using stage = await openStage(url, { socket_timeout: 1 }, false)
    expect(await roundTrip(stage)).toEqual(there)
    const sizes = await Promise.all(
      nodes.map(async (node) => {
        const client = new Redis(node.url)
        const isMaster = (await client.info('replication')).includes('role:master')
        const size = await client.dbsize()
        client.disconnect()
        return isMaster && size > 0 ? node : undefined
      }),
    )
    const owners = sizes.filter((node) => node !== undefined)
    expect(owners).toHaveLength(1)

    await owners[0]?.kill()
    const endMs = performance.now() + 30_000
    let trip: readonly string[] = []
    while (trip.length === 0 && performance.now() < endMs) {
      trip = await roundTrip(stage).catch(() => [])
      if (trip.length === 0) await sleep(200)
    }
    expect(trip).toEqual(there)
  })
})
