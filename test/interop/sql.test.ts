import { afterAll } from '@jest/globals'
import { migrate } from '../../brokers/sql/index.js'
import { describeInterop } from './support/interop-case.js'
import { sqlInteropPlace } from './support/sql-place.js'
import { newestSuite } from './suite.js'

// What differs between the databases is values and times; the rest is shown on one of them.
const ON_EVERY = new Set([
  'positional arguments',
  'special values: datetime, date, time, Decimal, UUID, bytes',
  'countdown and eta',
  'failures with custom exceptions',
  'retries',
])

const places = {
  PostgreSQL: await sqlInteropPlace('postgresql'),
  MariaDB: await sqlInteropPlace('mariadb'),
  SQLite: await sqlInteropPlace('sqlite'),
}

for (const [database, found] of Object.entries(places)) {
  // Celery makes its tables without a lock, and fails where another does so at the same moment.
  if (found !== undefined) await migrate(found.place.broker)
  describeInterop(
    {
      key: 'SQL',
      name: `Celery 5.7 and Lovage on kombu's and Celery's tables in ${database}`,
      python: process.env['LOVAGE_TEST_CELERY_PYTHON'],
      place: found?.place,
    },
    database === 'PostgreSQL' ? newestSuite : newestSuite.filter(({ feature }) => ON_EVERY.has(feature)),
  )
}

afterAll(async () => {
  for (const found of Object.values(places)) await found?.remove()
}, 20_000)
