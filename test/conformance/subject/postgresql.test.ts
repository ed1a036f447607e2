import { describeSqlServer } from './sql-server.js'

await describeSqlServer('postgresql', 'postgresql')
