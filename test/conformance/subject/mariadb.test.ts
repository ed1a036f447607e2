import { describeSqlServer } from './sql-server.js'

await describeSqlServer('mariadb', 'mariadb')
