import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, findProgram, freePort, runToEnd, startProcess } from '../server-process.mjs'
import { serverUser } from '../server-user.mjs'

const folders = ['/usr/sbin', '/usr/local/sbin']

const accounts = [
  'CREATE DATABASE IF NOT EXISTS test;',
  "CREATE USER IF NOT EXISTS 'lovage'@'127.0.0.1' IDENTIFIED BY 'lovage';",
  "GRANT ALL PRIVILEGES ON *.* TO 'lovage'@'127.0.0.1';",
]

/** MariaDB in a data folder of its own. */
export const mariadb = {
  name: 'mariadb',
  variable: 'LOVAGE_TEST_MARIADB_URL',
  debian: ['mariadb-server'],
  detect: async () =>
    findProgram('mariadbd', folders) === undefined ? 'MariaDB (mariadbd) is not installed' : undefined,
  start: async (folder) => {
    const { server } = await createDataFolder(folder)
    const port = await freePort()
    const { stop } = await server(port)
    return { url: `mysql://lovage:lovage@127.0.0.1:${port}/test`, stop }
  },
}

/**
 * A data folder within `folder`, and how to start a server on it, any number of times one after the other.
 *
 * @param {readonly string[]} more - Further arguments of the server.
 */
export async function createDataFolder(folder, more = []) {
  const user = await serverUser('mysql', folder)
  const data = join(folder, 'data')
  const start = join(folder, 'start.sql')
  await writeFile(start, accounts.join('\n'))
  await runToEnd(
    findProgram('mariadb-install-db', folders),
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { folder, ...user },
  )
  const server = (port) =>
    startProcess(
      findProgram('mariadbd', folders),
      [
        '--no-defaults',
        `--datadir=${data}`,
        `--port=${port}`,
        `--socket=${join(folder, 's')}`,
        `--init-file=${start}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--max-connections=400',
        '--innodb-flush-log-at-trx-commit=2',
        '--innodb-buffer-pool-size=64M',
        ...more,
      ],
      { folder, ready: () => answers(port), ...user },
    )
  return { server }
}
