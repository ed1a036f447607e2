import { serviceUrl } from '../support/service-url.js'
import { describeInterop } from './support/interop-case.js'
import { sqsRedisPlace } from './support/place.js'
import { newestSuite } from './suite.js'

describeInterop(
  {
    key: 'SQS with Redis',
    name: 'Celery 5.7 and Lovage on SQS with results in Redis',
    python: process.env['LOVAGE_TEST_CELERY_PYTHON'],
    place: sqsRedisPlace(serviceUrl('sqs'), serviceUrl('redis')),
  },
  newestSuite,
)
