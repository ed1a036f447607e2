import { serviceUrl } from '../support/service-url.js'
import { describeInterop } from './support/interop-case.js'
import { oldRedisPlace } from './support/place.js'
import { interopSuite } from './suite.js'

describeInterop(
  {
    key: 'Redis',
    name: 'Celery 5.2 and Lovage on Redis',
    python: process.env['LOVAGE_TEST_CELERY52_PYTHON'],
    place: oldRedisPlace(serviceUrl('redis')),
  },
  interopSuite.filter(({ since52 }) => since52 === true),
)
