import type { BackendDriver } from '../src/backend/registry.js'
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
    moduleUrl: new URL('./sql/index.js', import.meta.url).href,
    load: () => import('./sql/index.js'),
  },
  {
    schemes: REDIS_SCHEMES,
    packageName: 'ioredis',
    moduleUrl: new URL('./redis/index.js', import.meta.url).href,
    load: () => import('./redis/index.js'),
  },
  {
    schemes: ['rpc'],
    moduleUrl: new URL('./rpc/index.js', import.meta.url).href,
    load: () => import('./rpc/index.js'),
  },
  {
    schemes: ['mongodb', 'mongodb+srv'],
    packageName: 'mongodb',
    moduleUrl: new URL('./mongodb/index.js', import.meta.url).href,
    load: () => import('./mongodb/index.js'),
  },
]
