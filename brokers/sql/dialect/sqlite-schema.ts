import type { TableNames } from '../table-names.js'
import type { SchemaDialect } from './dialect.js'
import { schemaDialect } from './schema.js'

/** What the partial index of claimable rows covers, word for word. */
export const READY = 'holder IS NULL AND due_ms IS NULL'

const ID = '`id` integer not null primary key autoincrement'

/** The schema of a SQLite file. */
export const sqliteSchema: SchemaDialect = schemaDialect({
  quote: '`',
  types: { bytes: 'BLOB', date: 'DATETIME', text: 'TEXT', moment: 'INTEGER' },

  brokerTables: (names) => ({
    '001-queue': queueTables(names),
    // Ids are never given out twice, so that a listener can go on from the last one it read.
    '002-broadcast': [
      `create table {broadcast} (${ID}, \`sent_ms\` integer not null, \`meta\` text not null, \`body\` blob not null)`,
    ],
    '003-beat': beatTables(names),
  }),

  // Every id has a value by default.
  columnsOf: (session, table) => session.all('SELECT name, 1 FROM pragma_table_info(?)', [table]),

  created: ({ name, key, columns }) => {
    const defined = Object.entries(columns).map(([column, type]) => `\`${column}\` ${type}`)
    return [
      `create table \`${name}\` (${ID}, \`${key}\` VARCHAR(155), ${defined.join(', ')})`,
      `create unique index \`${name}_${key}_unique\` on \`${name}\` (\`${key}\`)`,
      `CREATE INDEX ix_${name}_date_done ON ${name} (date_done)`,
      expiryIndex(name),
    ]
  },

  // SQLite adds one column a statement.
  extended: ({ name, columns }, { columns: missing }) => [
    ...missing.map((column) => `ALTER TABLE ${name} ADD COLUMN ${column} ${columns[column] ?? ''}`),
    expiryIndex(name),
  ],
})

function queueTables({ message, binding, topology }: TableNames): readonly string[] {
  return [
    `create table {migration} (\`name\` text not null, \`applied_at\` datetime not null default CURRENT_TIMESTAMP,
      primary key (\`name\`))`,
    // Small columns first: SQLite reads a row from its start.
    `create table {message} (\`id\` integer not null, \`queue\` text not null, \`priority\` integer not null,
      \`due_ms\` integer, \`holder\` integer, \`claim\` integer, \`deliveries\` integer not null default '0',
      \`unspent\` integer not null default '0', \`due\` integer not null default '0', \`meta\` text not null,
      \`body\` blob not null, primary key (\`id\`))`,
    `CREATE INDEX ${message}_ready ON ${message} (queue, priority DESC, id) WHERE ${READY}`,
    `CREATE INDEX ${message}_due ON ${message} (due_ms) WHERE due_ms IS NOT NULL`,
    `CREATE INDEX ${message}_holder ON ${message} (holder, claim) WHERE holder IS NOT NULL`,
    `create table {holder} (${ID}, \`lease_until_ms\` integer not null, \`owner\` text not null)`,
    `create table {queue} (\`name\` text not null, \`lifetime\` text not null, \`expires_ms\` integer,
      \`used_at_ms\` integer, primary key (\`name\`))`,
    `create table {binding} (${ID}, \`queue\` text not null, \`exchange\` text not null, \`type\` text not null,
      \`routing_key\` text not null, \`arguments\` text not null)`,
    `create unique index \`${binding}_queue_exchange_type_routing_key_arguments_unique\` on {binding}
      (\`queue\`, \`exchange\`, \`type\`, \`routing_key\`, \`arguments\`)`,
    'create table {topology} (`version` integer not null)',
    `INSERT INTO ${topology} (version) VALUES (0)`,
  ]
}

function beatTables({ beat, beatOccurrence }: TableNames): readonly string[] {
  return [
    `create table {beat} (\`one\` integer not null, \`candidate\` text not null, \`lease_until_ms\` integer not null,
      \`revision\` integer not null, primary key (\`one\`))`,
    `INSERT INTO ${beat} (one, candidate, lease_until_ms, revision) VALUES (1, '', 0, 0)`,
    'create table {beatEntry} (`name` text not null, `data` text not null, `last_ms` integer, primary key (`name`))',
    `create table {beatOccurrence} (\`id\` text not null, \`entry\` text not null, \`scheduled_ms\` integer not null,
      primary key (\`id\`))`,
    `CREATE INDEX ${beatOccurrence}_entry ON ${beatOccurrence} (entry, scheduled_ms)`,
  ]
}

function expiryIndex(table: string): string {
  const column = 'lovage_expires_ms'
  return `CREATE INDEX IF NOT EXISTS ix_${table}_${column} ON ${table} (${column}) WHERE ${column} IS NOT NULL`
}
