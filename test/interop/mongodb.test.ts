import { serviceUrl } from '../support/service-url.js'
import { describeInterop } from './support/interop-case.js'
import { mongodbPlace } from './support/mongodb-place.js'
import { newestSuite } from './suite.js'

describeInterop(
  {
    key: 'MongoDB',
    name: 'Celery 5.7 and Lovage on MongoDB',
    python: process.env['LOVAGE_TEST_CELERY_PYTHON'],
    place: await mongodbPlace(serviceUrl('mongodb')),
  },
  newestSuite,
)
