/**
 * The servers that tests run against: where each comes from, how a private one is started, how it is stopped.
 *
 * A later broker adds one entry to {@link services}. A URL in the environment always wins over a server that is
 * started here. Tests read the same variables (`test/support/service-url.ts`).
 *
 * @typedef {object} Service
 * @property {string} name - As in `npm test -- <name>`.
 * @property {string} variable - Environment variable with the URL, as `LOVAGE_TEST_REDIS_URL`.
 * @property {() => Promise<string | undefined>} detect - Why it cannot be started here; undefined when it can.
 * @property {(folder: string) => Promise<Started>} start - Starts a private server in an empty folder.
 * @property {() => Promise<void>} [install] - Brings what `detect` misses; called with CI=true only.
 *
 * @typedef {object} Started
 * @property {string} url
 * @property {() => Promise<void>} stop
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, open } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * One entry for each server that a test needs.
 *
 * @type {Service[]}
 */
export const services = [
  {
    name: 'redis',
    variable: 'LOVAGE_TEST_REDIS_URL',
    detect: async () =>
      findProgram('redis-server') === undefined ? 'redis-server is not installed' : undefined,
    install: async () => installDebian(['redis-server']),
    start: async (folder) => {
      const port = await freePort()
      const { stop } = await startProcess(
        findProgram('redis-server'),
        ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
        { folder, ready: () => answers(port) },
      )
      return { url: `redis://127.0.0.1:${port}/0`, stop }
    },
  },
]

/**
 * Find or start every service.
 *
 * @param {readonly Service[]} wanted
 * @returns what to add to the environment of the tests, a report for the table, and how to stop it all.
 */
export async function startServices(wanted, { ci, say = console.log }) {
  const environment = {}
  const report = []
  const running = []
  for (const service of wanted) {
    const outcome = await startOne(service, { ci, say }).catch((error) => ({ missing: String(error) }))
    if (outcome.url !== undefined) environment[service.variable] = outcome.url
    if (outcome.stop !== undefined) running.push(outcome)
    report.push({ name: service.name, variable: service.variable, ...outcome })
  }
  const stop = async () => {
    for (const outcome of running.reverse()) await outcome.stop()
  }
  return { environment, report, stop }
}

async function startOne(service, { ci, say }) {
  const given = process.env[service.variable]
  if (given !== undefined && given !== '') return { url: given, origin: service.variable }
  let missing = await service.detect()
  if (missing !== undefined && ci && service.install !== undefined) {
    say(`Installing ${service.name} ...`)
    await service.install()
    missing = await service.detect()
  }
  if (missing !== undefined) return { missing }
  const folder = await mkdtemp(join(tmpdir(), `lovage-${service.name}-`))
  const started = await service.start(folder)
  const stop = async () => {
    await started.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  return { url: started.url, origin: 'started here', stop }
}

/** Start a server process and wait until it answers; its output goes to `server.log` in `folder`. */
export async function startProcess(file, args, { folder, ready, env = {}, timeoutMs = 30_000 }) {
  const log = await open(join(folder, 'server.log'), 'w')
  const child = spawn(file, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', log.fd, log.fd],
  })
  const ended = new Promise((resolve) => {
    child.once('exit', resolve)
    child.once('error', resolve)
  })
  await log.close()
  const state = { ended: false }
  ended.then(() => (state.ended = true))
  const stop = () => stopProcess(child, ended)
  try {
    await waitUntil(async () => {
      if (state.ended)
        throw new Error(`${file} ended:\n${await readFile(join(folder, 'server.log'), 'utf8')}`)
      return ready()
    }, timeoutMs)
  } catch (error) {
    await stop()
    throw error
  }
  return { pid: child.pid, stop }
}

async function stopProcess(child, ended) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  child.kill('SIGTERM')
  const patience = new AbortController()
  await Promise.race([ended, sleep(10_000, undefined, { signal: patience.signal }).catch(() => undefined)])
  patience.abort()
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await ended
}

async function waitUntil(holds, timeoutMs) {
  const end = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not ready after ${timeoutMs} ms`)
    await sleep(50)
  }
}

/** A TCP port that nobody listens on, picked by the system. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Whether something accepts connections on a local port. */
export function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (value) => {
      socket.destroy()
      resolve(value)
    }
    socket.once('connect', () => done(true)).once('error', () => done(false))
  })
}

/** The path of an installed program: on the PATH, or in one of `folders`; undefined when there is none. */
export function findProgram(name, folders = []) {
  const places = [...(process.env.PATH ?? '').split(delimiter), ...folders]
  return places.map((place) => join(place, name)).find((file) => existsSync(file))
}

/** Install Debian packages; throws with apt's words when that fails. */
export function installDebian(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  for (const args of [
    ['apt-get', 'update', '-q'],
    ['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages],
  ]) {
    const [file, ...rest] = [...sudo, ...args]
    const done = spawnSync(file, rest, { env, encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`${args.join(' ')} failed:\n${done.stderr}`)
  }
}
