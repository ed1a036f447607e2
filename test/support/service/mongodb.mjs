import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../prepare.mjs'
import { answers, findProgram, freePort, startProcess } from '../server-process.mjs'
import { hasMongodbSet } from './mongodb-set.mjs'

const folder = join(root, '.test-env/mongodb')
const jars = join(folder, 'lib')
const stamp = join(folder, '.installed')
const own = join(root, 'test/support/service/mongodb')
const copyJars = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'

/**
 * MongoDB: a `mongod` of the PATH as a replica set of one, else a Java program that speaks its protocol.
 *
 * What the latter cannot show is in the table that the tests end with.
 */
export const mongodb = {
  name: 'mongodb',
  variable: 'LOVAGE_TEST_MONGODB_URL',
  debian: ['default-jdk-headless', 'maven'],
  detect: async () => {
    if (findProgram('mongod') !== undefined) return undefined
    if (findProgram('java') === undefined) return 'neither mongod nor java is installed'
    return isInstalled()
      ? undefined
      : 'no jars in .test-env/mongodb; `node test/support/service/mongodb.mjs` brings them'
  },
  install: async () => {
    if (findProgram('mongod') === undefined) installJars()
  },
  start: (place) => startMongodb(place),
  // What a replica set of one shows, that one's tests show.
  unproven: async (url) => (!hasMongodbSet() && (await isStandIn(url)) ? notShown : []),
}

const notShown = [
  {
    what: 'MongoDB: deletion by TTL indexes, failover, majority writes, transactions, a killed server, indexes that are used',
    why: 'no mongod is at hand; mongo-java-server has none of them',
  },
  {
    what: "MongoDB: broadcasts of Celery's workers",
    why: 'no mongod is at hand; mongo-java-server refuses the capped collection that they read from',
  },
]

/**
 * Start a private server; what is kept in `place` is found again by the next that is started there.
 *
 * @param {{ port?: number, keeps?: boolean }} [options] - `keeps` to be found again, which the stand-in is slow with.
 * @returns its URL, its process id and how to stop it.
 */
export async function startMongodb(place, { port, keeps = false } = {}) {
  const chosen = port ?? (await freePort())
  return findProgram('mongod') === undefined ? startStandIn(place, chosen, keeps) : startMongod(place, chosen)
}

async function startStandIn(place, port, keeps) {
  const file = keeps ? [join(place, 'store.h2')] : []
  const { stop, pid } = await startProcess(
    findProgram('java'),
    [
      '-Xmx512m',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      join(jars, '*'),
      join(own, 'StandIn.java'),
      `${port}`,
      ...file,
    ],
    { folder: place, ready: () => answers(port), timeoutMs: 60_000 },
  )
  return { url: `mongodb://127.0.0.1:${port}/`, stop, pid }
}

async function startMongod(place, port) {
  const data = join(place, 'data')
  await mkdir(data, { recursive: true })
  const options = ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', data, '--replSet', 'test']
  const { stop, pid } = await startProcess(findProgram('mongod'), options, {
    folder: place,
    ready: () => answers(port),
    timeoutMs: 60_000,
  })
  await initiate(port)
  return { url: `mongodb://127.0.0.1:${port}/?replicaSet=test`, stop, pid }
}

/** Make a replica set of one, if it is none yet, and wait until it takes writes. */
async function initiate(port) {
  const client = await clientOf(`mongodb://127.0.0.1:${port}/?directConnection=true`)
  try {
    const admin = client.db('admin')
    const config = { _id: 'test', members: [{ _id: 0, host: `127.0.0.1:${port}` }] }
    await admin.command({ replSetInitiate: config }).catch(() => undefined)
    while (!(await admin.command({ hello: 1 })).isWritablePrimary) await sleep(50)
  } finally {
    await client.close()
  }
}

async function isStandIn(url) {
  const client = await clientOf(url, { serverSelectionTimeoutMS: 5_000 })
  try {
    // The stand-in knows this command by its old name only.
    await client.db('admin').command({ hello: 1 })
    return false
  } catch {
    return true
  } finally {
    await client.close()
  }
}

/** The driver is loaded when a server runs: the packages are installed by the same program that reads this file. */
async function clientOf(url, options) {
  const { MongoClient } = await import('mongodb')
  return new MongoClient(url, options)
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint()
}

function installJars() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const args = ['-q', '-B', '-f', join(own, 'pom.xml'), copyJars, `-DoutputDirectory=${jars}`]
  const done = spawnSync(findProgram('mvn') ?? 'mvn', args, { cwd: folder, encoding: 'utf8' })
  if (done.status !== 0)
    throw new Error(`mvn failed:\n${done.stdout}${done.stderr}${done.error?.message ?? ''}`)
  writeFileSync(stamp, fingerprint())
}

/** Other versions bring other jars. */
function fingerprint() {
  return createHash('sha256')
    .update(readFileSync(join(own, 'pom.xml')))
    .digest('hex')
}

if (process.argv[1] === import.meta.filename) installJars()
