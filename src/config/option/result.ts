import { backendFromText, readBackend } from '../value/store-settings.js'
import type { OptionTable } from './option.js'

/** Results: where they are kept, how they are written, for how long. */
export const resultOptions: OptionTable = {
  resultBackend: {
    kind: 'value',
    default: undefined,
    types: { input: 'BackendSetting', output: 'BackendSetting', module: 'store-settings' },
    read: readBackend,
    fromText: backendFromText,
    form: 'a URL, a name, an object or `false`',
    old: ['CELERY_RESULT_BACKEND'],
    aliases: ['backend'],
    url: true,
    doc: 'The result backend: a URL, a bare name (`rpc`, `redis`, `database`, `mongodb`), an object, or `false` for no results. Not set, results go to the store of the broker where it can hold them.',
  },
  resultSerializer: {
    kind: 'string',
    default: 'json',
    old: ['CELERY_RESULT_SERIALIZER'],
    doc: 'Serializer of results.',
  },
  resultCompression: {
    kind: 'string',
    default: undefined,
    old: ['CELERY_RESULT_COMPRESSION'],
    doc: 'Compressor of results, for example `gzip`, for stores whose format of a result has it. SQL tables and memory have not: as in Celery, results are then stored as they are, and a warning says so.',
  },
  resultExpires: {
    kind: 'duration',
    default: { days: 1 },
    infinite: true,
    old: ['CELERY_TASK_RESULT_EXPIRES'],
    whenNone: 0,
    doc: 'How long a result is kept; 0 or `None` keeps it until it is forgotten.',
  },
  resultFailureExpires: {
    kind: 'duration',
    default: undefined,
    old: ['CELERY_RESULT_FAILURE_EXPIRES'],
    whenNone: 0,
    sameAs: 'resultExpires',
    doc: 'How long a result of a failed task is kept.',
  },
  resultExtended: {
    kind: 'boolean',
    default: false,
    old: ['CELERY_RESULT_EXTENDED'],
    doc: 'Whether name, arguments, queue, worker and retries of the task are stored with its result.',
  },
  resultPersistent: {
    kind: 'boolean',
    default: undefined,
    old: ['CELERY_RESULT_PERSISTENT'],
    doc: 'Whether messages of the `rpc` backend survive a restart of the broker.',
  },
  resultBackendTransportOptions: {
    kind: 'dict',
    default: {},
    old: ['CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS'],
    doc: "Options of the backend's driver.",
  },
  overrideBackends: {
    kind: 'dict',
    default: {},
    doc: 'Result backends by scheme, in place of the built-in ones: a function `(url, options) => backend`, an object with `createBackend`, or the path of a module that exports it (`./my-backend.js`, `./my-backend.js:create`).',
  },
}

/** Results in MongoDB and in the memory of the process. */
export const storesOptions: OptionTable = {
  cacheBackend: {
    kind: 'string',
    default: undefined,
    url: true,
    old: ['CELERY_CACHE_BACKEND'],
    doc: 'Cache of the bare backend name `cache`.',
  },
  mongodbBackendSettings: {
    kind: 'dict',
    default: undefined,
    old: ['CELERY_MONGODB_BACKEND_SETTINGS'],
    doc: 'Connection of the bare backend name `mongodb` (`host`, `port`, `user`, `password`), and for each MongoDB backend `database`, `taskmeta_collection`, `groupmeta_collection`, and `options` of the driver, which every other name is one of, too.',
  },
}

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
