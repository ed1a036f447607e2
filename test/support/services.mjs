/**
 * The servers and foreign programs that tests run against: which there are, and how they are found or started.
 *
 * Each stands in a file of its own in `test/support/service/`. What the environment names always wins over what is
 * started here. Tests read the same variables (`test/support/service-url.ts`).
 *
 * @typedef {object} Service
 * @property {string} name - As in `npm test -- <name>`.
 * @property {string} variable - Environment variable that tests read, as `LOVAGE_TEST_REDIS_URL`.
 * @property {() => Promise<string | undefined>} detect - Why it cannot be had here; undefined when it can.
 * @property {(folder: string) => Promise<Started>} start - Starts a private server in an empty folder.
 * @property {readonly string[]} [debian] - Packages to install with CI=true when `detect` misses something.
 * @property {() => Promise<void>} [install] - What else brings it; called with CI=true only.
 * @property {(url: string) => Promise<{ what: string, why: string }[]>} [unproven] - What a run on it does not show.
 *
 * @typedef {object} Started
 * @property {string} url - The value of the variable.
 * @property {() => Promise<void>} stop
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDebian } from './debian.mjs'
import { fauxqs } from './service/fauxqs.mjs'
import { mongodb } from './service/mongodb.mjs'
import { mongodbSet } from './service/mongodb-set.mjs'
import { celery, celery52 } from './service/celery.mjs'
import { rabbitmq } from './service/rabbitmq.mjs'
import { mariadb } from './service/mariadb.mjs'
import { pgbouncer } from './service/pgbouncer.mjs'
import { postgresql } from './service/postgresql.mjs'
import { redis } from './service/redis.mjs'
import { redisCluster } from './service/redis-cluster.mjs'
import { sqs } from './service/sqs.mjs'

/**
 * Whatever a test needs beside Node, one entry each.
 *
 * @type {Service[]}
 */
export const services = [
  redis,
  redisCluster,
  rabbitmq,
  postgresql,
  pgbouncer,
  mariadb,
  mongodb,
  mongodbSet,
  sqs,
  fauxqs,
  celery,
  celery52,
]

/**
 * Find or start every service, side by side.
 *
 * @param {readonly Service[]} wanted
 * @returns what to add to the environment of the tests, a report for the table, and how to stop it all.
 */
export async function startServices(wanted, { ci, say = console.log }) {
  if (ci) await installMissing(wanted, say)
  const report = await Promise.all(
    wanted.map(async (service) => {
      const outcome = await startOne(service).catch((error) => ({ missing: String(error) }))
      const unproven = outcome.url === undefined ? [] : await service.unproven?.(outcome.url).catch(() => [])
      return { name: service.name, variable: service.variable, unproven: unproven ?? [], ...outcome }
    }),
  )
  const there = report.filter((outcome) => outcome.url !== undefined)
  const stop = async () => {
    await Promise.all(there.map((outcome) => outcome.stop?.()))
  }
  return { environment: Object.fromEntries(there.map(({ variable, url }) => [variable, url])), report, stop }
}

/** apt takes one caller at a time, so all packages come in one call; the rest is brought side by side. */
async function installMissing(wanted, say) {
  const missing = []
  for (const service of wanted.filter((each) => given(each) === undefined))
    if ((await service.detect()) !== undefined) missing.push(service)
  if (missing.length === 0) return
  say(`Installing ${missing.map((service) => service.name).join(', ')} ...`)
  const packages = missing.flatMap((service) => service.debian ?? [])
  try {
    if (packages.length > 0) installDebian([...new Set(packages)])
  } catch (error) {
    // Each service then says what it misses; these words say why.
    say(String(error))
  }
  await Promise.all(missing.map((service) => service.install?.().catch((error) => say(String(error)))))
}

async function startOne(service) {
  const value = given(service)
  if (value !== undefined) return { url: value, origin: service.variable }
  const missing = await service.detect()
  if (missing !== undefined) return { missing }
  const folder = await mkdtemp(join(tmpdir(), `lovage-${service.name}-`))
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 })
  try {
    const started = await service.start(folder)
    const stop = async () => {
      await started.stop()
      await remove()
    }
    return { url: started.url, origin: 'started here', stop }
  } catch (error) {
    await remove()
    throw error
  }
}

function given(service) {
  const value = process.env[service.variable]
  return value === '' ? undefined : value
}
