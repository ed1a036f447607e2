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
  databaseEngineOptions: {
    kind: 'dict',
    default: { pool_pre_ping: true, pool_recycle: 3600 },
    old: ['CELERY_RESULT_ENGINE_OPTIONS'],
    acts: false,
    doc: "Options of SQLAlchemy's engine. Pool options of Knex go into `brokerTransportOptions`.",
  },
  databaseEngineCallback: {
    kind: 'value',
    default: undefined,
    types: { input: 'unknown', output: 'unknown' },
    read: (value: unknown): unknown => value,
    fromText: (text: string): unknown => text,
    form: 'any',
    old: ['DATABASE_ENGINE_CALLBACK'],
    acts: false,
    doc: "Called with SQLAlchemy's engine in Celery.",
  },
  databaseShortLivedSessions: {
    kind: 'boolean',
    default: false,
    old: ['CELERY_RESULT_DB_SHORT_LIVED_SESSIONS'],
    acts: false,
    doc: 'Whether each call of the backend has a session of its own.',
  },
}
