import { describeSqlServer } from '../../support/sql-subject.js'

await describeSqlServer('mariadb', 'mariadb')
