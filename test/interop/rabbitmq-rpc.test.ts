import { serviceUrl } from '../support/service-url.js'
import { describeInterop } from './support/interop-case.js'
import { rabbitmqPlace } from './support/place.js'
import { newestSuite } from './suite.js'

describeInterop(
  {
    key: 'RabbitMQ with rpc',
    name: 'Celery 5.7 and Lovage on RabbitMQ with results by rpc',
    python: process.env['LOVAGE_TEST_CELERY_PYTHON'],
    place: rabbitmqPlace(serviceUrl('rabbitmq')),
  },
  newestSuite,
)
