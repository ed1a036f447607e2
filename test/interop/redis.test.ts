import { serviceUrl } from '../support/service-url.js'
import { lovageCalls } from './case/lovage-calls.js'
import { lovageCanvas } from './case/lovage-canvas.js'
import { pythonCalls } from './case/python-calls.js'
import { pythonCanvas } from './case/python-canvas.js'
import { pythonReadsFailures } from './case/python-reads-failures.js'
import { describeInterop } from './support/interop-case.js'
import { redisPlace } from './support/place.js'

describeInterop(
  {
    key: 'Redis',
    name: 'Celery 5.7 and Lovage on Redis',
    python: process.env['LOVAGE_TEST_CELERY_PYTHON'],
    place: redisPlace(serviceUrl('redis')),
  },
  [...pythonCalls, ...pythonReadsFailures, ...pythonCanvas, ...lovageCalls, ...lovageCanvas],
)
