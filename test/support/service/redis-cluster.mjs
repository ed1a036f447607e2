import { join } from 'node:path'
import { mkdir } from 'node:fs/promises'
import { answers, findProgram, freePort, runToEnd, startProcess } from '../server-process.mjs'

const masters = 3

/** A Redis Cluster of masters that keep nothing on disk. */
export const redisCluster = {
  name: 'redis-cluster',
  variable: 'LOVAGE_TEST_REDIS_CLUSTER_URL',
  debian: ['redis-server'],
  detect: async () => {
    const missing = ['redis-server', 'redis-cli'].filter((program) => findProgram(program) === undefined)
    return missing.length === 0 ? undefined : `${missing.join(' and ')}: not installed`
  },
  start: async (folder) => {
    const nodes = await Promise.all(
      Array.from({ length: masters }, (_, n) => startNode(join(folder, `${n}`))),
    )
    const stop = async () => {
      await Promise.all(nodes.map((node) => node.stop()))
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
    try {
      await runToEnd(
        findProgram('redis-cli'),
        ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes'],
        { folder },
      )
    } catch (error) {
      await stop()
      throw error
    }
    return { url: `redis+cluster://${addresses.join(',')}/0`, stop }
  },
}

async function startNode(folder) {
  await mkdir(folder)
  const port = await freePort()
  // The port among the nodes is the one of clients and 10,000 more unless it is named.
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`]
  const { stop } = await startProcess(
    findProgram('redis-server'),
    ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...cluster],
    { folder, ready: () => answers(port) },
  )
  return { port, stop }
}
