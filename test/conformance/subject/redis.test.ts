import { afterAll, describe, it } from '@jest/globals'
import { canStartRedis, RedisServer } from '../../support/redis-server.js'
import { describeRedis } from '../../support/redis-subject.js'
import { restartRunner } from '../../support/restart-runner.js'
import { serviceUrl } from '../../support/service-url.js'

/** Other tests, and this one again, use databases of the same server. */
function at(server: string, database: number, query = ''): string {
  return `${server.replace(/\/\d*$/, '')}/${String(database)}${query}`
}

const server = serviceUrl('redis')
if (server === undefined) {
  describe('redis', () => {
    it.skip('is tested where LOVAGE_TEST_REDIS_URL names a server', () => undefined)
  })
} else {
  describeRedis('redis', [at(server, 1, '?delay=store'), at(server, 1)])
  describeRedis('redis with a key prefix and results elsewhere', [
    at(server, 2, '?delay=store&global_keyprefix=shop:'),
    at(server, 3),
  ])
}

if (canStartRedis()) {
  // A server of its own, with its data on disk: others use the shared one.
  const own = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
  afterAll(() => own[Symbol.asyncDispose]())
  describeRedis('redis over a restart', [at(own.url, 0, '?delay=store'), at(own.url, 0)], {
    runner: restartRunner(),
    restart: async () => {
      await own.kill()
      await own.start()
    },
  })
} else {
  describe('redis over a restart', () => {
    it.skip('is tested where redis-server is installed', () => undefined)
  })
}

// No package of the system that CI runs on has it.
const valkey = serviceUrl('valkey')
if (valkey !== undefined) describeRedis('valkey', [at(valkey, 1, '?delay=store'), at(valkey, 1)])
