import type { BrokerDriver } from '../src/broker/registry.js'

/** The broker drivers that come with the package. Nothing of them is loaded before a URL asks for it. */
export const brokerDrivers: readonly BrokerDriver[] = [
  {
    schemes: ['memory'],
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
    schemes: ['sqs'],
    packageName: '@aws-sdk/client-sqs',
    moduleUrl: new URL('./sqs/index.js', import.meta.url).href,
    load: () => import('./sqs/index.js'),
  },
]
