import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, findProgram, freePort, startProcess } from '../server-process.mjs'
import { serverUser } from '../server-user.mjs'
import { createCluster, postgresql } from './postgresql.mjs'

const folders = ['/usr/sbin']

/** PgBouncer in transaction mode before a PostgreSQL of its own, with fewer connections than a worker asks for. */
export const pgbouncer = {
  name: 'pgbouncer',
  variable: 'LOVAGE_TEST_PGBOUNCER_URL',
  debian: ['pgbouncer', ...postgresql.debian],
  detect: async () =>
    findProgram('pgbouncer', folders) === undefined ? 'pgbouncer is not installed' : postgresql.detect(),
  start: async (folder) => {
    // The folder first: its owner has to reach the database within it.
    const user = await serverUser('postgres', folder)
    const data = join(folder, 'postgresql')
    await mkdir(data)
    const { postmaster } = await createCluster(data)
    const serverPort = await freePort()
    const server = await postmaster(serverPort)
    const port = await freePort()
    const settings = {
      listen_addr: '127.0.0.1',
      listen_port: port,
      unix_socket_dir: '',
      auth_type: 'any',
      pool_mode: 'transaction',
      default_pool_size: 4,
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
    const target = `postgres = host=127.0.0.1 port=${serverPort} user=lovage`
    const file = join(folder, 'pgbouncer.ini')
    await writeFile(file, ['[databases]', target, '[pgbouncer]', ...lines, ''].join('\n'))
    const pooler = await startProcess(findProgram('pgbouncer', folders), [file], {
      folder,
      ready: () => answers(port),
      ...user,
    })
    const stop = async () => {
      await pooler.stop()
      await server.stop()
    }
    return { url: `postgresql://lovage@127.0.0.1:${port}/postgres`, stop }
  },
}
