import { readSsl, sslFromText } from '../value/store-settings.js'
import type { OptionTable } from './option.js'

/** Results in Redis. */
export const redisOptions: OptionTable = {
  redisHost: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_REDIS_HOST'],
    doc: 'Host of the bare backend name `redis`.',
  },
  redisPort: {
    kind: 'integer',
    default: undefined,
    min: 1,
    max: 65535,
    old: ['CELERY_REDIS_PORT'],
    doc: 'Port, used with `redisHost`.',
  },
  redisDb: {
    kind: 'integer',
    default: undefined,
    min: 0,
    old: ['CELERY_REDIS_DB'],
    doc: 'Database number, used with `redisHost`.',
  },
  redisUsername: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_REDIS_USERNAME'],
    doc: 'User name, used with `redisHost`.',
  },
  redisPassword: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_REDIS_PASSWORD'],
    secret: true,
    doc: 'Password, used with `redisHost`.',
  },
  redisBackendUseSsl: {
    kind: 'value',
    default: undefined,
    types: { input: 'SslSetting', output: 'SslSetting', module: 'store-settings' },
    read: readSsl,
    fromText: sslFromText,
    form: 'boolean or object',
    old: ['CELERY_REDIS_BACKEND_USE_SSL'],
    acts: false,
    doc: "TLS to the result backend: `true`, or the client's TLS options.",
  },
  redisMaxConnections: {
    kind: 'integer',
    default: undefined,
    min: 1,
    old: ['CELERY_REDIS_MAX_CONNECTIONS'],
    acts: false,
    doc: "Connections of the backend's pool.",
  },
  redisSocketTimeout: {
    kind: 'duration',
    default: 120,
    old: ['CELERY_REDIS_SOCKET_TIMEOUT'],
    acts: false,
    doc: 'How long an answer of Redis may take.',
  },
  redisSocketConnectTimeout: {
    kind: 'duration',
    default: undefined,
    old: ['CELERY_REDIS_SOCKET_CONNECT_TIMEOUT'],
    acts: false,
    doc: 'How long opening a connection may take.',
  },
  redisSocketKeepalive: {
    kind: 'boolean',
    default: false,
    old: ['CELERY_REDIS_SOCKET_KEEPALIVE'],
    acts: false,
    doc: 'Whether TCP keep-alive is on.',
  },
  redisRetryOnTimeout: {
    kind: 'boolean',
    default: false,
    old: ['CELERY_REDIS_RETRY_ON_TIMEOUT'],
    acts: false,
    doc: 'Whether a call that took too long is retried.',
  },
}
