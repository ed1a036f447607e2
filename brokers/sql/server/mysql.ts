import { mysql } from '../dialect/mysql.js'
import type { OpenDatabase } from '../dialect/dialect.js'
import type { ServerSettings } from '../settings/server-settings.js'
import { connectTimeoutMs, openServer, requirePackage } from './open-knex.js'
import { isRecord } from '../../../src/util/record.js'
import type { ConnectionFault, ServerAdapter } from './sql-connection.js'
import { MysqlLink, mysqlConnection } from './mysql-connection.js'
import { AGAIN, ELSEWHERE, networkFault, REFUSED, UNAVAILABLE } from './faults.js'

/** A MySQL or MariaDB server, on connections of Lovage's own. */
export async function openMysql(settings: ServerSettings): Promise<OpenDatabase> {
  await requirePackage('mysql', 'mysql2', () => import('mysql2'))
  const { login } = settings
  const { database } = await openServer(settings, {
    client: 'mysql2',
    driver: mysqlServer,
    settings: {
      ...(login.socketPath !== undefined && { socketPath: login.socketPath }),
      user: login.user,
      database: login.database,
      password: login.password(),
      ...(login.tls !== undefined && { ssl: login.tls }),
      charset: 'utf8mb4',
      enableKeepAlive: true,
      connectTimeout: connectTimeoutMs(settings),
    },
    pool: { idleTimeoutMillis: POOL_IDLE_MS },
    title: 'MySQL',
  })
  // There are no notifications of commits: a poll finds them.
  return { dialect: mysql, database, watch: () => () => undefined }
}

// https://mariadb.com/kb/en/mariadb-error-code-reference/
const AGAIN_CODES: ReadonlySet<number> = new Set([
  1020, // changed since it was read
  1205, // waited too long for a lock
  1213, // deadlock
])
const ELSEWHERE_CODES: ReadonlySet<number> = new Set([
  ...[1053, 1077, 1079], // shutting down
  ...[1290, 1792, 1836], // read only: the other side of a failover
])
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([
  ...[1021, 1114], // no room left
  ...[1037, 1038, 1041], // no memory left
  ...[1040, 1203, 1226], // too many connections
  ...[1927, 4031], // connection killed
  ...[1158, 1159, 1160, 1161, 1184], // network
  ...[1317, 1969, 3024], // cancelled, as by max_statement_time
])

const BEGIN = 'START TRANSACTION'
/** How long MySQL keeps a connection on which nothing is said, in seconds: it has no limit for transactions only. */
const MYSQL_IDLE_S = 20
/** How long a pool keeps a connection that it does not use: the pool has to close it before MySQL does. */
const POOL_IDLE_MS = 15_000
/**
 * A process that stands still in the middle of a transaction, or whose network is gone, must not keep from others what it
 * has locked. Of the two comments MariaDB runs the first, and MySQL the second.
 */
const LIMITS = `SET SESSION net_read_timeout = 10, SESSION net_write_timeout = 10
  /*M!100303 , SESSION idle_transaction_timeout = 10 */ /*!80000 , SESSION wait_timeout = ${MYSQL_IDLE_S} */`

/** MySQL and MariaDB through `mysql2`. */
export const mysqlServer: ServerAdapter = {
  quote: '`',
  isNumbered: false,
  connection: (connection) => new MysqlLink(mysqlConnection(connection)),
  cut: async (connection) => {
    mysqlConnection(connection).destroy()
    return Promise.resolve()
  },
  begin: (_options, isTuned) => (isTuned ? [BEGIN] : [isolation('TRANSACTION'), BEGIN]),
  tuning: [isolation('SESSION TRANSACTION'), LIMITS],
  commit: () => 'COMMIT',
  tell: () => undefined,
  writable: 'SELECT @@global.read_only = 0',
  faultOf,
}

/** Without gap locks, which would make claimers wait for publishers. */
function isolation(scope: 'TRANSACTION' | 'SESSION TRANSACTION'): string {
  return `SET ${scope} ISOLATION LEVEL READ COMMITTED`
}

function faultOf(error: unknown): ConnectionFault | undefined {
  const number = isRecord(error) ? error['errno'] : undefined
  // The driver's own errors carry the negative numbers of the system, or none.
  if (typeof number !== 'number' || number <= 0) return fatalFault(error) ?? networkFault(error)
  if (AGAIN_CODES.has(number)) return AGAIN
  if (ELSEWHERE_CODES.has(number)) return ELSEWHERE
  return UNAVAILABLE_CODES.has(number) ? UNAVAILABLE : REFUSED
}

function fatalFault(error: unknown): ConnectionFault | undefined {
  const code = isRecord(error) ? error['code'] : undefined
  return typeof code === 'string' && code.startsWith('PROTOCOL_') ? ELSEWHERE : undefined
}
