import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, findProgram, freePort, runToEnd, startProcess } from '../server-process.mjs'
import { serverUser } from '../server-user.mjs'

// Debian keeps the programs of each version apart, out of the PATH.
const folders = [17, 16, 15, 14, 13].map((version) => `/usr/lib/postgresql/${version}/bin`)

/** PostgreSQL in a data folder of its own; a killed server loses nothing, a machine without power would. */
export const postgresql = {
  name: 'postgresql',
  variable: 'LOVAGE_TEST_POSTGRESQL_URL',
  debian: ['postgresql'],
  detect: async () =>
    findProgram('initdb', folders) === undefined ? 'PostgreSQL (initdb) is not installed' : undefined,
  start: async (folder) => {
    const { postmaster } = await createCluster(folder)
    const port = await freePort()
    const { stop } = await postmaster(port)
    return { url: `postgresql://lovage@127.0.0.1:${port}/postgres`, stop }
  },
}

/** What makes a server quick that need not survive a machine without power. */
const careless = ['fsync=off', 'full_page_writes=off']

/**
 * A data folder within `folder`, and how to start a server on it, any number of times one after the other.
 *
 * @param {readonly string[]} safety - How it cares for what a machine without power would lose.
 */
export async function createCluster(folder, safety = careless) {
  const user = await serverUser('postgres', folder)
  const data = join(folder, 'data')
  const initdb = findProgram('initdb', folders)
  await runToEnd(initdb, ['-D', data, '-U', 'lovage', '--auth=trust', '--no-sync', '-E', 'UTF8'], {
    folder,
    ...user,
  })
  return { postmaster: postmasterOf(folder, user, safety) }
}

/** A copy of the server at `port` in `folder`, and how to start it as its standby. */
export async function copyCluster(folder, port) {
  const user = await serverUser('postgres', folder)
  const from = ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'lovage']
  const how = ['--write-recovery-conf', '--checkpoint=fast', '--no-sync']
  await runToEnd(findProgram('pg_basebackup', folders), ['-D', join(folder, 'data'), ...from, ...how], {
    folder,
    ...user,
  })
  return { postmaster: postmasterOf(folder, user, careless) }
}

function postmasterOf(folder, user, safety) {
  const settings = ['max_connections=300', 'shared_buffers=64MB', ...safety]
  const args = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, ...settings]
  const postgres = findProgram('postgres', [join(findProgram('initdb', folders), '..'), ...folders])
  return (port) =>
    startProcess(
      postgres,
      ['-D', join(folder, 'data'), '-p', `${port}`, ...args.flatMap((setting) => ['-c', setting])],
      // SIGTERM would wait until every client has left.
      {
        folder,
        ready: async () => (await answers(port)) && (await takesSessions(folder)),
        stopSignal: 'SIGINT',
        ...user,
      },
    )
}

/** Whether the server that listens is past its start, in which it turns every session away. */
async function takesSessions(folder) {
  const [, , , , , , , status] = (await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')
  return /^(ready|standby)/.test(status ?? '')
}
