import type { OptionTable } from './option.js'

/** Results in a SQL database. */
export const databaseOptions: OptionTable = {
  databaseUrl: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_RESULT_DBURI'],
    doc: 'Database of the bare backend name `database`.',
  },
  databaseTableNames: {
    kind: 'dict',
    default: undefined,
    old: ['CELERY_RESULT_DB_TABLENAMES'],
    doc: 'Names of the result tables on a SQL server: `task` and `group`.',
  },
  databaseTableSchemas: {
    kind: 'dict',
    default: undefined,
    old: ['DATABASE_TABLE_SCHEMAS'],
    doc: 'Schemas of the result tables on a SQL server: `task` and `group`.',
  },
  databaseCreateTablesAtSetup: {
    kind: 'boolean',
    default: true,
    old: ['DATABASE_CREATE_TABLES_AT_SETUP'],
    doc: "Celery's name for `databaseAutoMigrate`.",
  },
}
