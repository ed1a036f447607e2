import type { BrokerDriver } from '../src/broker/registry.js'
import { isKnex, REDIS_SCHEMES, SQL_SCHEMES } from './shared-schemes.js'

/** The broker drivers that come with the package. Nothing of them is loaded before a URL asks for it. */
export const brokerDrivers: readonly BrokerDriver[] = [
  {
    schemes: ['memory'],
    moduleUrl: new URL('./memory/index.js', import.meta.url).href,
    load: () => import('./memory/index.js'),
  },
  {
    schemes: SQL_SCHEMES,
    acceptsDriverSuffix: true,
    accepts: isKnex,
    settings: ({ sqliteSynchronous }, { scheme }) => (scheme.includes('sqlite') ? { sqliteSynchronous } : {}),
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
    schemes: ['amqp', 'amqps', 'pyamqp', 'rabbitmq', 'librabbitmq'],
    packageName: 'amqplib',
    mostPriority: 255,
    noResults: {
      because: 'RabbitMQ keeps no results',
      use: '"rpc://" for results that the caller alone can read',
    },
    // Celery keeps these apart from the transport's options.
    settings: (config) => ({
      heartbeat: config.brokerHeartbeatMs / 1000,
      connect_timeout: config.brokerConnectionTimeoutMs / 1000,
      native_delayed_delivery_queue_type: config.brokerNativeDelayedDeliveryQueueType,
      ...(config.brokerLoginMethod === undefined ? {} : { login_method: config.brokerLoginMethod }),
    }),
    moduleUrl: new URL('./rabbitmq/index.js', import.meta.url).href,
    load: () => import('./rabbitmq/index.js'),
  },
  {
    schemes: ['mongodb', 'mongodb+srv'],
    packageName: 'mongodb',
    moduleUrl: new URL('./mongodb/index.js', import.meta.url).href,
    load: () => import('./mongodb/index.js'),
  },
  {
    schemes: ['sqs'],
    packageName: '@aws-sdk/client-sqs',
    mostPriority: 0,
    noResults: { because: 'Amazon SQS keeps no results', use: 'a Redis, SQL or MongoDB URL' },
    moduleUrl: new URL('./sqs/index.js', import.meta.url).href,
    load: () => import('./sqs/index.js'),
  },
]
