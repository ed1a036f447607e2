/** One RabbitMQ node of a test run, which can be killed and started again on what it has on disk. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { answers, findProgram, freePort, startProcess } from '../server-process.mjs'

/** Where Debian has the scripts themselves: those on the PATH first become the user `rabbitmq`. */
const FOLDER = '/usr/lib/rabbitmq/bin'

/** The path of a RabbitMQ script; undefined when it is not installed. */
export function rabbitmqScript(name) {
  const own = join(FOLDER, name)
  return existsSync(own) ? own : findProgram(name)
}

/** A node with ports, names and files of its own, not started; `folder` exists, `settings` are lines of its
 * configuration, `# plugin <name>` and `# erl <arguments>` among them. */
export async function newRabbitmqNode(folder, settings = []) {
  const [port, distPort, epmdPort] = await Promise.all([freePort(), freePort(), freePort()])
  const config = join(folder, 'rabbitmq.conf')
  const lines = [`listeners.tcp.1 = 127.0.0.1:${port}`, 'disk_free_limit.absolute = 10MB', ...settings, '']
  await writeFile(config, lines.join('\n'))
  const cookie = join(folder, '.erlang.cookie')
  await writeFile(cookie, randomUUID(), { mode: 0o400 })
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}'
  const env = {
    HOME: folder,
    ERL_EPMD_PORT: `${epmdPort}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `lovage-${port}@localhost`,
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_DIST_PORT: `${distPort}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'server.pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${loopback} +S 2:2 ${argumentsIn(settings)}`,
    RABBITMQ_CTL_ERL_ARGS: loopback,
  }
  await mkdir(join(folder, 'epmd'), { recursive: true })
  const plugins = settings.flatMap((line) => /^# plugin (\w+)$/.exec(line)?.slice(1) ?? [])
  await writeFile(join(folder, 'plugins'), `[${plugins.join(',')}].\n`)
  return { folder, port, epmdPort, env, url: `amqp://guest:guest@127.0.0.1:${port}//` }
}

function argumentsIn(settings) {
  return settings.flatMap((line) => /^# erl (.+)$/.exec(line)?.slice(1) ?? []).join(' ')
}

/**
 * Start a node, with a port mapper of its own so that it meets no other node of this machine; again after a kill.
 *
 * @returns `stop` ends it in good order, `kill` at once; both leave its files.
 */
export async function startRabbitmqNode({ folder, port, epmdPort, env }) {
  const mapper = await startProcess(findProgram('epmd'), ['-port', `${epmdPort}`, '-address', '127.0.0.1'], {
    folder: join(folder, 'epmd'),
    ready: () => answers(epmdPort),
  })
  try {
    const server = await startProcess(rabbitmqScript('rabbitmq-server'), [], {
      folder,
      env,
      timeoutMs: 60_000,
      ready: () => answers(port),
    })
    const kill = async () => {
      process.kill(Number(await readFile(env.RABBITMQ_PID_FILE, 'utf8')), 'SIGKILL')
      await server.stop()
      await mapper.stop()
    }
    const stop = async () => {
      await server.stop()
      await mapper.stop()
    }
    return { stop, kill }
  } catch (error) {
    await mapper.stop()
    throw error
  }
}

/** Run `rabbitmqctl` against a node; resolves with what it printed. */
export function rabbitmqctl({ env }, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(rabbitmqScript('rabbitmqctl'), args, { env: { ...process.env, ...env } })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`rabbitmqctl ${args.join(' ')} ended with ${code}:\n${output}`))
    })
  })
}
