import { describeSqlServer } from '../../support/sql-subject.js'

// A transaction pooler keeps no session: nothing prepared, no LISTEN, so the poll alone brings news.
await describeSqlServer('postgresql', 'postgresql as behind pgbouncer', 'pgbouncer=true&pollInterval=0.2')
