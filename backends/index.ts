import type { BackendDriver } from '../src/backend/registry.js'

/** The backend drivers that come with the package. Nothing of them is loaded before a URL asks for it. */
export const backendDrivers: readonly BackendDriver[] = [
  {
    schemes: ['memory', 'cache+memory'],
    moduleUrl: new URL('./memory/index.js', import.meta.url).href,
    load: () => import('./memory/index.js'),
  },
  {
    schemes: ['sqlite', 'sqla+sqlite', 'db+sqlite'],
    acceptsDriverSuffix: true,
    moduleUrl: new URL('./sql/index.js', import.meta.url).href,
    load: () => import('./sql/index.js'),
  },
  {
    schemes: ['mongodb', 'mongodb+srv'],
    packageName: 'mongodb',
    moduleUrl: new URL('./mongodb/index.js', import.meta.url).href,
    load: () => import('./mongodb/index.js'),
  },
]
