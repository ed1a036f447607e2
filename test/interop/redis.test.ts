import { serviceUrl } from '../support/service-url.js'
import { describeInterop } from './support/interop-case.js'
import { redisPlace } from './support/place.js'
import { newestSuite } from './suite.js'

describeInterop(
  {
    key: 'Redis',
    name: 'Celery 5.7 and Lovage on Redis',
    python: process.env['LOVAGE_TEST_CELERY_PYTHON'],
    place: redisPlace(serviceUrl('redis')),
  },
  newestSuite,
)
