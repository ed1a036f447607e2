import { createServer, Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { Lovage } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/index.js'
import { canStartRedis, RedisServer } from '../../support/redis-server.js'

jest.setTimeout(60_000)

const withOwn = canStartRedis() ? describe : describe.skip

/** Ask a backend for a state, with settings of Celery. */
async function stateBy(settings: ConfigInput): Promise<string> {
  await using app = new Lovage('settings', settings)
  return await app.AsyncResult('x').state()
}

withOwn('the settings of the Redis backend', () => {
  afterEach(() => {
    jest.restoreAllMocks()
  })

  it('redis_socket_timeout bounds the wait for an answer', async () => {
    await using own = await RedisServer.start()
    await using app = new Lovage('settings', { backend: own.url, redisSocketTimeout: 0.3 })
    expect(await app.AsyncResult('x').state()).toBe('PENDING')
    const admin = new Redis(own.url)
    await admin.call('CLIENT', 'PAUSE', '10000', 'ALL')

    await expect(app.AsyncResult('y').state()).rejects.toThrow('no answer within 300 ms')

    admin.disconnect()
  })

  it('redis_socket_connect_timeout bounds the connect', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const backend = `rediss://127.0.0.1:${String(port)}/0`
    const asked = [
      stateBy({ backend }).catch(() => 'the default'),
      stateBy({ backend, redisSocketConnectTimeout: 0.2 }).catch(() => 'the setting'),
    ]

    expect(await Promise.race(asked)).toBe('the setting')

    for (const socket of sockets) socket.destroy()
    silent.close()
    await Promise.all(asked)
  })

  it.each([
    [undefined, [true]],
    [true, [true]],
    [false, [true, false]],
  ])('redis_socket_keepalive is TCP keep-alive: %s', async (redisSocketKeepalive, wanted) => {
    await using own = await RedisServer.start()
    const keepAlive = jest.spyOn(Socket.prototype, 'setKeepAlive')

    await stateBy({
      backend: own.url,
      ...(redisSocketKeepalive !== undefined && { redisSocketKeepalive }),
    })

    expect(keepAlive.mock.calls.map(([isOn]) => isOn)).toEqual(wanted)
  })

  it('redis_username and redis_password are the account of the bare name', async () => {
    await using own = await RedisServer.start(
      ...['--requirepass', 'everybody', '--user', 'shop', 'on', '>s3cret', '~*', '&*', '+@all'],
    )
    const place = {
      backend: 'redis',
      redisHost: '127.0.0.1',
      redisPort: own.port,
      redisPassword: 's3cret',
    }

    expect(await stateBy({ ...place, redisUsername: 'shop' })).toBe('PENDING')

    await expect(stateBy(place)).rejects.toThrow('WRONGPASS')
    await expect(stateBy({ ...place, redisUsername: 'other' })).rejects.toThrow('WRONGPASS')
  })
})
