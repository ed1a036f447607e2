import { afterAll, it } from '@jest/globals'
import { describeSqlBroker, SQL_PARTS } from '../../support/sql-subject.js'
import { sqlPlace } from '../../support/sql-place.js'
import { tempFolder } from '../../support/temp.js'

const folder = await tempFolder('kombu-tables')
describeSqlBroker("kombu's tables on sqlite", `sqla+sqlite:///${folder.file('kombu.db')}`, SQL_PARTS)

const servers = [
  { server: 'postgresql', place: await sqlPlace('postgresql') },
  { server: 'mariadb', place: await sqlPlace('mariadb') },
] as const

for (const { server, place } of servers) {
  if (place === undefined) it.skip(`kombu's tables on ${server}: no server is there`, () => undefined)
  else describeSqlBroker(`kombu's tables on ${server}`, `sqla+${place.url}`, SQL_PARTS)
}

afterAll(async () => {
  for (const { place } of servers) await place?.remove()
  await folder.remove()
})
