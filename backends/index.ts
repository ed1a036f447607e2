import type { BackendDriver } from '../src/backend/registry.js'
import { isRecord } from '../src/util/record.js'
import { isKnex, REDIS_SCHEMES, SQL_SCHEMES } from '../brokers/shared-schemes.js'

/** The backend drivers that come with the package. Nothing of them is loaded before a URL asks for it. */
export const backendDrivers: readonly BackendDriver[] = [
  {
    schemes: ['memory', 'cache+memory'],
    moduleUrl: new URL('./memory/index.js', import.meta.url).href,
    load: () => import('./memory/index.js'),
  },
  {
    schemes: SQL_SCHEMES,
    acceptsDriverSuffix: true,
    accepts: isKnex,
    supportsAutoexpire: false,
    settings: resultTables,
    moduleUrl: new URL('./sql/index.js', import.meta.url).href,
    load: () => import('./sql/index.js'),
  },
  {
    schemes: REDIS_SCHEMES,
    packageName: 'ioredis',
    settings: redisOptions,
    moduleUrl: new URL('./redis/index.js', import.meta.url).href,
    load: () => import('./redis/index.js'),
  },
  {
    schemes: ['rpc'],
    settings: ({ resultPersistent }) => ({ result_persistent: resultPersistent }),
    moduleUrl: new URL('./rpc/index.js', import.meta.url).href,
    load: () => import('./rpc/index.js'),
  },
  {
    schemes: ['mongodb', 'mongodb+srv'],
    packageName: 'mongodb',
    settings: mongodbOptions,
    moduleUrl: new URL('./mongodb/index.js', import.meta.url).href,
    load: () => import('./mongodb/index.js'),
  },
]

/** What a driver's options are made of. */
type Settings = Parameters<NonNullable<BackendDriver['settings']>>[0]
type Options = Readonly<Record<string, unknown>>

/** @source Celery 5.7, `celery/backends/database/__init__.py`, `DatabaseBackend.__init__`. */
function resultTables({ databaseTableNames: names, databaseTableSchemas: schemas }: Settings): Options {
  if (names === undefined && schemas === undefined) return {}
  return { resultTables: { names: names ?? {}, schemas: schemas ?? {} } }
}

function redisOptions(config: Settings): Options {
  const { redisSocketTimeoutMs, redisSocketConnectTimeoutMs } = config
  const set = {
    ssl: config.redisBackendUseSsl,
    socket_timeout: redisSocketTimeoutMs === undefined ? undefined : redisSocketTimeoutMs / 1000,
    socket_connect_timeout:
      redisSocketConnectTimeoutMs === undefined ? undefined : redisSocketConnectTimeoutMs / 1000,
    socket_keepalive: config.redisSocketKeepalive,
  }
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined))
}

/** What is left of Celery's settings once a URL is made of them; what it does not know is the client's. */
function mongodbOptions({ mongodbBackendSettings }: Settings): Options {
  if (mongodbBackendSettings === undefined) return {}
  const { database, taskmeta_collection, groupmeta_collection, options, ...rest } = mongodbBackendSettings
  const { host: _, port: _port, user: _user, password: _password, max_pool_size, ...others } = rest
  const client = { ...(max_pool_size !== undefined && { maxPoolSize: max_pool_size }), ...others }
  return {
    database,
    taskmeta_collection,
    groupmeta_collection,
    options: isRecord(options) ? { ...client, ...options } : client,
  }
}
