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
    doc: 'TLS to the result backend in Redis: `true`, or the TLS options (`ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`).',
  },
  redisSocketTimeout: {
    kind: 'duration',
    default: undefined,
    old: ['CELERY_REDIS_SOCKET_TIMEOUT'],
    doc: 'How long an answer of Redis may take, 5 seconds unless set; then the connection is given up.',
  },
  redisSocketConnectTimeout: {
    kind: 'duration',
    default: undefined,
    old: ['CELERY_REDIS_SOCKET_CONNECT_TIMEOUT'],
    doc: 'How long opening a connection may take, 5 seconds unless set.',
  },
  redisSocketKeepalive: {
    kind: 'boolean',
    default: undefined,
    old: ['CELERY_REDIS_SOCKET_KEEPALIVE'],
    doc: 'Whether TCP keep-alive is on; it is unless this is `false`.',
  },
}
