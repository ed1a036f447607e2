import { setTimeout as sleep } from 'node:timers/promises'
import { MongodbServer } from '../support/mongodb-server.js'
import { serviceUrl } from '../support/service-url.js'
import { describeConnection, inRounds, isFull, networkFaults } from './fixture/connection-faults.js'
import type { Fault } from './fixture/connection-faults.js'

const rounds = isFull ? 100 : 1
/** Of faults that take a minute. */
const longRounds = isFull ? 5 : 1
/** The pool keeps connections that were needed at once, for as long as it likes. */
const SPARE_CONNECTIONS = 10
/** How long the server may take to answer before the connection is given up. */
const ANSWER = 1

const urlAt = (port: number): string =>
  `mongodb://127.0.0.1:${String(port)}/line?directConnection=true&socket_timeout=${String(ANSWER)}`

const struck: Readonly<Record<string, Fault<MongodbServer>>> = {
  ...networkFaults(4_000 * ANSWER, 3_000),
  'ends with the server, which is started again': async ({ server }) => {
    await server.stop()
    await sleep(200)
    await server.startAgain()
  },
}

describeConnection({
  store: 'MongoDB',
  isThere: serviceUrl('mongodb') !== undefined,
  startServer: () => MongodbServer.start(),
  settings: (port) => ({ broker: urlAt(port) }),
  worker: () => ({ lease: 4 }),
  faults: inRounds(struck, (what) => (what.startsWith('stalls') ? longRounds : rounds)),
  bringsResults: true,
  connections: {
    count: ({ proxy }) => proxy.connections,
    most: (before) => before + SPARE_CONNECTIONS,
  },
  url: urlAt,
  hastyUrl: urlAt,
  publishTimeout: 1,
})
