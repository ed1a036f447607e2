import { it } from '@jest/globals'
import { describeSqlStore } from '../../support/sql-subject.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName } from '../../support/temp.js'

const pooler = serviceUrl('pgbouncer')

if (pooler === undefined) it.skip('PostgreSQL behind pgbouncer: none is there', () => undefined)
else {
  // Each transaction gets another connection: nothing is prepared, no LISTEN, so the poll alone brings news.
  const url = new URL(pooler)
  url.searchParams.set('schema', randomName('pooled').replaceAll('-', '_'))
  url.searchParams.set('pgbouncer', 'true')
  url.searchParams.set('pollInterval', '0.2')
  describeSqlStore('postgresql behind pgbouncer', url.href)
}
