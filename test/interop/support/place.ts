import { randomName, type InteropPlace } from './stage.js'

/** Redis as broker and backend, under a prefix of its own. */
export function redisPlace(server: string | undefined): InteropPlace | undefined {
  if (server === undefined) return undefined
  const options = { global_keyprefix: `${randomName('interop')}:` }
  const conf = { result_extended: true }
  return { broker: server, backend: server, brokerOptions: options, backendOptions: options, conf }
}

/** Redis as Celery 5.2 knows it: results without a prefix, so both live in a database that no other test uses. */
export function oldRedisPlace(server: string | undefined): InteropPlace | undefined {
  if (server === undefined) return undefined
  const url = `${server.replace(/\/\d*$/, '')}/12`
  return { broker: url, backend: url, brokerOptions: {}, backendOptions: {} }
}

/** RabbitMQ, with results sent to whoever called. */
export function rabbitmqPlace(server: string | undefined): InteropPlace | undefined {
  return server === undefined
    ? undefined
    : {
        broker: server,
        backend: 'rpc://',
        brokerOptions: {},
        backendOptions: {},
        conf: { result_extended: true },
      }
}

/** RabbitMQ, with compressed results in Redis under a prefix of their own. */
export function rabbitmqRedisPlace(
  rabbitmq: string | undefined,
  redis: string | undefined,
): InteropPlace | undefined {
  const results = redisPlace(redis)
  return rabbitmq === undefined || results === undefined
    ? undefined
    : {
        ...results,
        broker: rabbitmq,
        brokerOptions: {},
        conf: { ...results.conf, result_compression: 'gzip' },
      }
}

/** Amazon SQS, with results in Redis under a prefix of their own. */
export function sqsRedisPlace(sqs: string | undefined, redis: string | undefined): InteropPlace | undefined {
  const results = redisPlace(redis)
  if (sqs === undefined || results === undefined) return undefined
  const [broker = '', query] = sqs.split('?')
  const region = new URLSearchParams(query).get('region')
  const polling = { polling_interval: 0.05, wait_time_seconds: 2 }
  const brokerOptions = { region, is_secure: false, queue_name_prefix: `${randomName('i')}-`, ...polling }
  return { ...results, broker, brokerOptions }
}
