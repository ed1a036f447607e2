// Generated from the option table by test/check/generate-reference.mjs.
import type { DurationInput } from '../util/duration.js'
import type { SslSetting } from './value/store-settings.js'

/** What a user writes: the options of stores, none required. */
export interface StoreConfigInput {
  /**
   * Database of the bare backend name `database`.
   *
   * @defaultValue not set
   */
  readonly databaseUrl?: string | undefined
  /**
   * Names of the result tables on a SQL server: `task` and `group`.
   *
   * @defaultValue not set
   */
  readonly databaseTableNames?: Readonly<Record<string, unknown>> | undefined
  /**
   * Schemas of the result tables on a SQL server: `task` and `group`.
   *
   * @defaultValue not set
   */
  readonly databaseTableSchemas?: Readonly<Record<string, unknown>> | undefined
  /**
   * Celery's name for `databaseAutoMigrate`.
   *
   * @defaultValue `true`
   */
  readonly databaseCreateTablesAtSetup?: boolean | undefined
  /**
   * Options of SQLAlchemy's engine. Pool options of Knex go into `brokerTransportOptions`.
   *
   * @defaultValue `{"pool_pre_ping": true, "pool_recycle": 3600}`
   */
  readonly databaseEngineOptions?: Readonly<Record<string, unknown>> | undefined
  /**
   * Called with SQLAlchemy's engine in Celery.
   *
   * @defaultValue not set
   */
  readonly databaseEngineCallback?: unknown
  /**
   * Whether each call of the backend has a session of its own.
   *
   * @defaultValue `false`
   */
  readonly databaseShortLivedSessions?: boolean | undefined
  /**
   * Host of the bare backend name `redis`.
   *
   * @defaultValue not set
   */
  readonly redisHost?: string | undefined
  /**
   * Port, used with `redisHost`.
   *
   * @defaultValue not set
   */
  readonly redisPort?: number | undefined
  /**
   * Database number, used with `redisHost`.
   *
   * @defaultValue not set
   */
  readonly redisDb?: number | undefined
  /**
   * User name, used with `redisHost`.
   *
   * @defaultValue not set
   */
  readonly redisUsername?: string | undefined
  /**
   * Password, used with `redisHost`.
   *
   * @defaultValue not set
   */
  readonly redisPassword?: string | undefined
  /**
   * TLS to the result backend: `true`, or the client's TLS options.
   *
   * @defaultValue not set
   */
  readonly redisBackendUseSsl?: SslSetting | undefined
  /**
   * Connections of the backend's pool.
   *
   * @defaultValue not set
   */
  readonly redisMaxConnections?: number | undefined
  /**
   * How long an answer of Redis may take.
   *
   * @defaultValue 120 seconds
   */
  readonly redisSocketTimeout?: DurationInput | undefined
  /**
   * How long opening a connection may take.
   *
   * @defaultValue not set
   */
  readonly redisSocketConnectTimeout?: DurationInput | undefined
  /**
   * Whether TCP keep-alive is on.
   *
   * @defaultValue `false`
   */
  readonly redisSocketKeepalive?: boolean | undefined
  /**
   * Whether a call that took too long is retried.
   *
   * @defaultValue `false`
   */
  readonly redisRetryOnTimeout?: boolean | undefined
  /**
   * Name of the connections, as `CLIENT LIST` shows it.
   *
   * @defaultValue not set
   */
  readonly redisClientName?: string | undefined
  /**
   * Idle time after which a connection is checked before its use.
   *
   * @defaultValue not set
   */
  readonly redisBackendHealthCheckInterval?: DurationInput | undefined
  /**
   * Gives user name and password at each connect.
   *
   * @defaultValue not set
   */
  readonly redisBackendCredentialProvider?: unknown
  /**
   * File of the private key that signs messages.
   *
   * @defaultValue not set
   */
  readonly securityKey?: string | undefined
  /**
   * Password of that key.
   *
   * @defaultValue not set
   */
  readonly securityKeyPassword?: string | undefined
  /**
   * File of the certificate that goes with messages.
   *
   * @defaultValue not set
   */
  readonly securityCertificate?: string | undefined
  /**
   * Folder of the certificates that are trusted.
   *
   * @defaultValue not set
   */
  readonly securityCertStore?: string | undefined
  /**
   * Digest that is signed.
   *
   * @defaultValue `sha256`
   */
  readonly securityDigest?: string | undefined
  /**
   * Connection to ArangoDB.
   *
   * @defaultValue not set
   */
  readonly arangodbBackendSettings?: Readonly<Record<string, unknown>> | undefined
  /**
   * Container in Azure Blob Storage.
   *
   * @defaultValue `celery`
   */
  readonly azureblockblobContainerName?: string | undefined
  /**
   * How names of blobs begin.
   *
   * @defaultValue empty
   */
  readonly azureblockblobBasePath?: string | undefined
  /**
   * First delay between retries.
   *
   * @defaultValue `2`
   */
  readonly azureblockblobRetryInitialBackoffSec?: number | undefined
  /**
   * Base of the growing delay.
   *
   * @defaultValue `2`
   */
  readonly azureblockblobRetryIncrementBase?: number | undefined
  /**
   * Attempts of a call.
   *
   * @defaultValue `3`
   */
  readonly azureblockblobRetryMaxAttempts?: number | undefined
  /**
   * How long opening a connection may take.
   *
   * @defaultValue 20 seconds
   */
  readonly azureblockblobConnectionTimeout?: DurationInput | undefined
  /**
   * How long an answer may take.
   *
   * @defaultValue 120 seconds
   */
  readonly azureblockblobReadTimeout?: DurationInput | undefined
  /**
   * Cache of the bare backend name `cache`.
   *
   * @defaultValue not set
   */
  readonly cacheBackend?: string | undefined
  /**
   * Options of the cache's client.
   *
   * @defaultValue `{}`
   */
  readonly cacheBackendOptions?: Readonly<Record<string, unknown>> | undefined
  /**
   * Hosts of Cassandra.
   *
   * @defaultValue not set
   */
  readonly cassandraServers?: readonly string[] | undefined
  /**
   * Port of Cassandra.
   *
   * @defaultValue not set
   */
  readonly cassandraPort?: number | undefined
  /**
   * Keyspace of the results.
   *
   * @defaultValue not set
   */
  readonly cassandraKeyspace?: string | undefined
  /**
   * Table of the results.
   *
   * @defaultValue not set
   */
  readonly cassandraTable?: string | undefined
  /**
   * Consistency of reads.
   *
   * @defaultValue not set
   */
  readonly cassandraReadConsistency?: string | undefined
  /**
   * Consistency of writes.
   *
   * @defaultValue not set
   */
  readonly cassandraWriteConsistency?: string | undefined
  /**
   * How long results are kept.
   *
   * @defaultValue not set
   */
  readonly cassandraEntryTtl?: DurationInput | undefined
  /**
   * Class that authenticates.
   *
   * @defaultValue not set
   */
  readonly cassandraAuthProvider?: string | undefined
  /**
   * Arguments of that class.
   *
   * @defaultValue not set
   */
  readonly cassandraAuthKwargs?: Readonly<Record<string, unknown>> | undefined
  /**
   * File of the secure connect bundle.
   *
   * @defaultValue not set
   */
  readonly cassandraBundlePath?: string | undefined
  /**
   * File of the secure connect bundle, as the guide calls it.
   *
   * @defaultValue not set
   */
  readonly cassandraSecureBundlePath?: string | undefined
  /**
   * Options of the cluster.
   *
   * @defaultValue `{}`
   */
  readonly cassandraOptions?: Readonly<Record<string, unknown>> | undefined
  /**
   * Database in Cosmos DB.
   *
   * @defaultValue `celerydb`
   */
  readonly cosmosdbsqlDatabaseName?: string | undefined
  /**
   * Collection in Cosmos DB.
   *
   * @defaultValue `celerycol`
   */
  readonly cosmosdbsqlCollectionName?: string | undefined
  /**
   * Consistency of reads.
   *
   * @defaultValue `Session`
   */
  readonly cosmosdbsqlConsistencyLevel?: string | undefined
  /**
   * Attempts of a call.
   *
   * @defaultValue `9`
   */
  readonly cosmosdbsqlMaxRetryAttempts?: number | undefined
  /**
   * Longest wait between attempts.
   *
   * @defaultValue 30 seconds
   */
  readonly cosmosdbsqlMaxRetryWaitTime?: DurationInput | undefined
  /**
   * Connection to Couchbase.
   *
   * @defaultValue not set
   */
  readonly couchbaseBackendSettings?: Readonly<Record<string, unknown>> | undefined
  /**
   * Whether a call that took too long is retried.
   *
   * @defaultValue not set
   */
  readonly elasticsearchRetryOnTimeout?: boolean | undefined
  /**
   * Retries of a call.
   *
   * @defaultValue not set
   */
  readonly elasticsearchMaxRetries?: number | undefined
  /**
   * How long a call may take.
   *
   * @defaultValue not set
   */
  readonly elasticsearchTimeout?: DurationInput | undefined
  /**
   * Whether results are stored as text.
   *
   * @defaultValue `true`
   */
  readonly elasticsearchSaveMetaAsText?: boolean | undefined
  /**
   * Bucket in Google Cloud Storage.
   *
   * @defaultValue not set
   */
  readonly gcsBucket?: string | undefined
  /**
   * Project of the bucket.
   *
   * @defaultValue not set
   */
  readonly gcsProject?: string | undefined
  /**
   * How names of objects begin.
   *
   * @defaultValue empty
   */
  readonly gcsBasePath?: string | undefined
  /**
   * How long results are kept; 0 keeps them.
   *
   * @defaultValue 0
   */
  readonly gcsTtl?: DurationInput | undefined
  /**
   * Connection of the bare backend name `mongodb` (`host`, `port`, `database`, `user`, `password`) and the collection of results (`taskmeta_collection`).
   *
   * @defaultValue not set
   */
  readonly mongodbBackendSettings?: Readonly<Record<string, unknown>> | undefined
  /**
   * Access key of the bucket.
   *
   * @defaultValue not set
   */
  readonly s3AccessKeyId?: string | undefined
  /**
   * Secret key of the bucket.
   *
   * @defaultValue not set
   */
  readonly s3SecretAccessKey?: string | undefined
  /**
   * Bucket of the results.
   *
   * @defaultValue not set
   */
  readonly s3Bucket?: string | undefined
  /**
   * How names of objects begin.
   *
   * @defaultValue not set
   */
  readonly s3BasePath?: string | undefined
  /**
   * Endpoint, for stores that speak S3.
   *
   * @defaultValue not set
   */
  readonly s3EndpointUrl?: string | undefined
  /**
   * Region of the bucket.
   *
   * @defaultValue not set
   */
  readonly s3Region?: string | undefined
}

/** What the code reads: the options of stores, checked, defaults filled in, lengths of time in milliseconds. */
export interface StoreConfig {
  readonly databaseUrl: string | undefined
  readonly databaseTableNames: Readonly<Record<string, unknown>> | undefined
  readonly databaseTableSchemas: Readonly<Record<string, unknown>> | undefined
  readonly databaseCreateTablesAtSetup: boolean
  readonly databaseEngineOptions: Readonly<Record<string, unknown>>
  readonly databaseEngineCallback: unknown
  readonly databaseShortLivedSessions: boolean
  readonly redisHost: string | undefined
  readonly redisPort: number | undefined
  readonly redisDb: number | undefined
  readonly redisUsername: string | undefined
  readonly redisPassword: string | undefined
  readonly redisBackendUseSsl: SslSetting | undefined
  readonly redisMaxConnections: number | undefined
  readonly redisSocketTimeoutMs: number
  readonly redisSocketConnectTimeoutMs: number | undefined
  readonly redisSocketKeepalive: boolean
  readonly redisRetryOnTimeout: boolean
  readonly redisClientName: string | undefined
  readonly redisBackendHealthCheckIntervalMs: number | undefined
  readonly redisBackendCredentialProvider: unknown
  readonly securityKey: string | undefined
  readonly securityKeyPassword: string | undefined
  readonly securityCertificate: string | undefined
  readonly securityCertStore: string | undefined
  readonly securityDigest: string
  readonly arangodbBackendSettings: Readonly<Record<string, unknown>> | undefined
  readonly azureblockblobContainerName: string
  readonly azureblockblobBasePath: string
  readonly azureblockblobRetryInitialBackoffSec: number
  readonly azureblockblobRetryIncrementBase: number
  readonly azureblockblobRetryMaxAttempts: number
  readonly azureblockblobConnectionTimeoutMs: number
  readonly azureblockblobReadTimeoutMs: number
  readonly cacheBackend: string | undefined
  readonly cacheBackendOptions: Readonly<Record<string, unknown>>
  readonly cassandraServers: readonly string[] | undefined
  readonly cassandraPort: number | undefined
  readonly cassandraKeyspace: string | undefined
  readonly cassandraTable: string | undefined
  readonly cassandraReadConsistency: string | undefined
  readonly cassandraWriteConsistency: string | undefined
  readonly cassandraEntryTtlMs: number | undefined
  readonly cassandraAuthProvider: string | undefined
  readonly cassandraAuthKwargs: Readonly<Record<string, unknown>> | undefined
  readonly cassandraBundlePath: string | undefined
  readonly cassandraSecureBundlePath: string | undefined
  readonly cassandraOptions: Readonly<Record<string, unknown>>
  readonly cosmosdbsqlDatabaseName: string
  readonly cosmosdbsqlCollectionName: string
  readonly cosmosdbsqlConsistencyLevel: string
  readonly cosmosdbsqlMaxRetryAttempts: number
  readonly cosmosdbsqlMaxRetryWaitTimeMs: number
  readonly couchbaseBackendSettings: Readonly<Record<string, unknown>> | undefined
  readonly elasticsearchRetryOnTimeout: boolean | undefined
  readonly elasticsearchMaxRetries: number | undefined
  readonly elasticsearchTimeoutMs: number | undefined
  readonly elasticsearchSaveMetaAsText: boolean
  readonly gcsBucket: string | undefined
  readonly gcsProject: string | undefined
  readonly gcsBasePath: string
  readonly gcsTtlMs: number
  readonly mongodbBackendSettings: Readonly<Record<string, unknown>> | undefined
  readonly s3AccessKeyId: string | undefined
  readonly s3SecretAccessKey: string | undefined
  readonly s3Bucket: string | undefined
  readonly s3BasePath: string | undefined
  readonly s3EndpointUrl: string | undefined
  readonly s3Region: string | undefined
}
