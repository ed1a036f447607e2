import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { canStartRedis, RedisServer } from '../support/redis-server.js'
import {
  describeConnection,
  hearsAtOnce,
  inRounds,
  isFull,
  networkFaults,
} from './fixture/connection-faults.js'
import type { Fault } from './fixture/connection-faults.js'

const rounds = isFull ? 100 : 2
/** Of faults that take a minute. */
const longRounds = isFull ? 5 : 1
/** Two of the client, and three of the worker: commands, what it hears, and the keeper's. */
const MOST_CONNECTIONS = 5
/** How long the server may take to answer before the connection is given up. */
const ANSWER = 1

const urlAt = (port: number): string => `redis://127.0.0.1:${String(port)}/0`

/** Ask the server by a connection of its own. */
async function asAdmin<Answer>(
  { port }: RedisServer,
  ask: (admin: Redis) => Promise<Answer>,
): Promise<Answer> {
  const admin = new Redis(urlAt(port), { connectionName: 'admin', maxRetriesPerRequest: null })
  admin.on('error', () => undefined)
  try {
    return await ask(admin)
  } finally {
    admin.disconnect()
  }
}

const struck: Readonly<Record<string, Fault<RedisServer>>> = {
  ...networkFaults(4_000 * ANSWER, 3_000),
  'is killed by the administrator': ({ server }) =>
    asAdmin(server, async (admin) => {
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    }),
  'ends on a server that pauses': ({ server }) =>
    asAdmin(server, async (admin) => {
      await admin.call('CLIENT', 'PAUSE', '2500', 'ALL')
    }),
  'ends with the server, which is killed and started again': async ({ server }) => {
    await server.kill()
    await sleep(200)
    await server.start()
  },
}

describeConnection({
  store: 'Redis',
  isThere: canStartRedis(),
  startServer: () => RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always'),
  settings: (port) => ({ broker: urlAt(port), backend: urlAt(port) }),
  worker: () => ({
    brokerTransportOptions: { socket_timeout: ANSWER },
    resultBackendTransportOptions: { socket_timeout: ANSWER },
    lease: 4,
  }),
  faults: inRounds(struck, (what) => (what.startsWith('stalls') ? longRounds : rounds)),
  bringsResults: true,
  connections: {
    count: ({ server }) =>
      asAdmin(server, async (admin) => {
        const list = String(await admin.call('CLIENT', 'LIST'))
        return list.split('\n').filter((one) => one !== '' && !one.includes('name=admin ')).length
      }),
    most: () => MOST_CONNECTIONS,
  },
  after: hearsAtOnce,
  url: urlAt,
  hastyUrl: (port) => `${urlAt(port)}?socket_timeout=1`,
  publishTimeout: 1,
})
