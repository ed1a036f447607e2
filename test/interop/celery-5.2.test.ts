import { serviceUrl } from '../support/service-url.js'
import { describeInterop, type PairName } from './support/interop-case.js'
import { oldRedisPlace, rabbitmqPlace } from './support/place.js'
import type { InteropPlace } from './support/stage.js'
import { oldSuite } from './suite.js'

const redis = oldRedisPlace(serviceUrl('redis'))
const rabbitmq = rabbitmqPlace(serviceUrl('rabbitmq'))
const both = redis === undefined || rabbitmq === undefined ? undefined : { ...redis, broker: rabbitmq.broker }
const plainRpc = rabbitmq === undefined ? undefined : { ...rabbitmq, conf: {} }
const places: readonly (readonly [PairName, InteropPlace | undefined])[] = [
  ['Redis', redis],
  ['RabbitMQ with rpc', plainRpc],
  ['RabbitMQ with Redis', both],
]

for (const [key, place] of places) {
  const python = process.env['LOVAGE_TEST_CELERY52_PYTHON']
  // Its pool of processes looks for work once a second.
  describeInterop({ key, name: `Celery 5.2 and Lovage on ${key}`, python, place, pool: 'solo' }, oldSuite)
}
