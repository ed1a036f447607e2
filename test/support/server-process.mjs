/** Servers as processes of the test run: a free port, a start that waits for an answer, a stop that ends it. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, open } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Start a server process and wait until it answers; its output goes to `server.log` in `folder`.
 *
 * @param {object} options
 * @param {NodeJS.Signals} [options.stopSignal] - What ends it in order; SIGTERM when left out.
 * @param {number} [options.uid] - Who runs it, with `gid`; whoever runs this when left out.
 */
export async function startProcess(
  file,
  args,
  { folder, ready, env = {}, timeoutMs = 30_000, stopSignal = 'SIGTERM', uid, gid },
) {
  const log = await open(join(folder, 'server.log'), 'w')
  const child = spawn(file, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', log.fd, log.fd],
    uid,
    gid,
  })
  const ended = new Promise((resolve) => {
    child.once('exit', resolve)
    child.once('error', resolve)
  })
  await log.close()
  const state = { ended: false }
  ended.then(() => (state.ended = true))
  const stop = () => stopProcess(child, ended, stopSignal)
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

async function stopProcess(child, ended, signal) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  child.kill(signal)
  const patience = new AbortController()
  await Promise.race([ended, sleep(10_000, undefined, { signal: patience.signal }).catch(() => undefined)])
  patience.abort()
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await ended
}

/** Run a program that ends by itself, in `folder`; throws with what it said when it fails. */
export async function runToEnd(file, args, { folder, uid, gid }) {
  const child = spawn(file, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], uid, gid })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
  if (code !== 0) throw new Error(`${file} ended with ${code}:\n${said}`)
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
