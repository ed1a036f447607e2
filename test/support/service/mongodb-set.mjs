import { join } from 'node:path'
import { root } from '../prepare.mjs'
import { pythonEnvironment } from '../python-environment.mjs'
import { answers, findProgram, freePort, startProcess } from '../server-process.mjs'

const own = join(root, 'test/support/service/mongodb-set')
const environment = pythonEnvironment('mongodb-set', join(own, 'requirements.txt'))

/**
 * A replica set of one member: SecantusDB, which speaks MongoDB's protocol over MongoDB's storage engine. It has what
 * mongo-java-server lacks: transactions, change streams, TTL and capped collections, indexes, and a log on disk.
 */
export const mongodbSet = {
  name: 'mongodb-set',
  variable: 'LOVAGE_TEST_MONGODB_SET_URL',
  debian: ['python3-venv'],
  detect: async () =>
    environment.isInstalled()
      ? undefined
      : 'no environment in .test-env/mongodb-set; `node test/support/service/mongodb-set.mjs` makes it',
  install: async () => environment.install(),
  start: (place) => startMongodbSet(place),
  unproven: async () =>
    findProgram('mongod') === undefined
      ? [
          {
            what: 'MongoDB: elections between several members, majority writes to them',
            why: 'no mongod is at hand; SecantusDB is a replica set of one member, always',
          },
        ]
      : [],
}

/** Whether it is installed here. */
export function hasMongodbSet() {
  return environment.isInstalled()
}

/** Start a private server; what is kept in `place` is found again by the next that is started there. */
export async function startMongodbSet(place, { port } = {}) {
  const chosen = port ?? (await freePort())
  const { stop, pid } = await startProcess(
    environment.interpreter,
    [
      join(own, 'start.py'),
      ...['--host', '127.0.0.1', '--port', `${chosen}`, '--storage-path', join(place, 'data')],
      ...['--config', join(own, 'secantusd.toml'), '--enable-test-commands', '--log-level', 'WARNING'],
    ],
    { folder: place, ready: () => answers(chosen), timeoutMs: 60_000 },
  )
  return { url: `mongodb://127.0.0.1:${chosen}/?replicaSet=secantus`, stop, pid }
}

if (process.argv[1] === import.meta.filename) environment.install()
