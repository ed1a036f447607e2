import { describeSqlRestarts, describeSqlServer } from '../../support/sql-subject.js'

await describeSqlServer('postgresql', 'postgresql')
await describeSqlRestarts('postgresql')
