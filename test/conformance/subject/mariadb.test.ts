import { serviceUrl } from '../../support/service-url.js'
import { describeSqlRestarts, describeSqlServer } from '../../support/sql-subject.js'

await describeSqlServer('mariadb', 'mariadb')
await describeSqlRestarts('mariadb')
// There is no package of it to install: only where a developer names one.
if (serviceUrl('mysql') !== undefined) await describeSqlServer('mariadb', 'mysql', 'mysql')
