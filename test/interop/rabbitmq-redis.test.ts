import { serviceUrl } from '../support/service-url.js'
import { describeInterop } from './support/interop-case.js'
import { rabbitmqRedisPlace } from './support/place.js'
import { newestSuite } from './suite.js'

describeInterop(
  {
    key: 'RabbitMQ with Redis',
    name: 'Celery 5.7 and Lovage on RabbitMQ with results in Redis',
    python: process.env['LOVAGE_TEST_CELERY_PYTHON'],
    place: rabbitmqRedisPlace(serviceUrl('rabbitmq'), serviceUrl('redis')),
  },
  newestSuite,
)
