/** An option of Celery that nothing in Lovage acts on. */
export interface InactiveOption {
  /** Why, or what to use instead; ends a sentence. */
  readonly reason: string
  /** Upper-case names of Celery before 4.0 that differ from the new name in more than case. */
  readonly old: readonly string[]
}

/** Names by the reason why nothing acts on them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'there is no result backend for ArangoDB': ['arangodbBackendSettings'],
  'there is no result backend for Azure Blob Storage': [
    'azureblockblobContainerName',
    'azureblockblobBasePath',
    'azureblockblobRetryInitialBackoffSec',
    'azureblockblobRetryIncrementBase',
    'azureblockblobRetryMaxAttempts',
    'azureblockblobConnectionTimeout',
    'azureblockblobReadTimeout',
  ],
  'there is no result backend for Memcached': ['cacheBackendOptions'],
  'there is no result backend for Cassandra': [
    'cassandraServers',
    'cassandraPort',
    'cassandraKeyspace',
    'cassandraTable',
    'cassandraReadConsistency',
    'cassandraWriteConsistency',
    'cassandraEntryTtl',
    'cassandraAuthProvider',
    'cassandraAuthKwargs',
    'cassandraBundlePath',
    'cassandraSecureBundlePath',
    'cassandraOptions',
  ],
  'there is no result backend for Cosmos DB': [
    'cosmosdbsqlDatabaseName',
    'cosmosdbsqlCollectionName',
    'cosmosdbsqlConsistencyLevel',
    'cosmosdbsqlMaxRetryAttempts',
    'cosmosdbsqlMaxRetryWaitTime',
  ],
  'there is no result backend for Couchbase': ['couchbaseBackendSettings'],
  'there is no result backend for Elasticsearch': [
    'elasticsearchRetryOnTimeout',
    'elasticsearchMaxRetries',
    'elasticsearchTimeout',
    'elasticsearchSaveMetaAsText',
  ],
  'there is no result backend for Google Cloud Storage': ['gcsBucket', 'gcsProject', 'gcsBasePath', 'gcsTtl'],
  'there is no result backend for S3': [
    's3AccessKeyId',
    's3SecretAccessKey',
    's3Bucket',
    's3BasePath',
    's3EndpointUrl',
    's3Region',
  ],
  'the size of the pool is the option poolSize of the URL': ['databaseEngineOptions'],
  "rpc:// sends each result to its caller's queue, as Celery's does": [
    'resultExchange',
    'resultExchangeType',
  ],
  'a process has one connection for all commands to Redis': ['redisMaxConnections'],
  'a worker tries again whatever timed out, and elsewhere the error says that it can be tried again': [
    'redisRetryOnTimeout',
  ],
  'hand over a Knex instance of your own as the backend': ['databaseEngineCallback'],
  'a connection is held for one transaction at a time': ['databaseShortLivedSessions'],
  'logs go to standard error; redirect it': ['workerLogfile', 'beatLogfile', 'eventsLogfile'],
  'times are written as Python writes them by default': ['workerLogDatefmt', 'workerTaskLogDatefmt'],
  'there is no root logger; a program hands its own to the app or worker': ['workerHijackRootLogger'],
  'schedules are kept in the store; beatStore names another one': ['beatScheduler'],
  'each occurrence is recorded as it is sent': ['beatSyncEvery'],
  'let the service manager keep track of the process': ['workerPidfile', 'beatPidfile', 'eventsPidfile'],
  'one connection publishes and consumes; set brokerUrl': ['brokerReadUrl', 'brokerWriteUrl'],
  'the client checks heartbeats by itself': ['brokerHeartbeatCheckrate'],
  'publishers of a process share one connection': ['brokerPoolLimit', 'brokerPoolAcquireTimeout'],
  'results are not kept in memory': ['resultCacheMax'],
  'a process has one backend object for its one thread': ['resultBackendThreadSafe'],
  'stack traces are always stored as text': ['taskRemoteTracebacks'],
  'the text of arguments has a fixed depth': ['taskReprMaxlevels'],
  'tasks whose connection was lost keep their place': ['workerEnablePrefetchCountReduction'],
  'delayed tasks wait in the store': ['workerEtaTaskLimit'],
  'every queue has a prefetch of its own': ['workerDetectQuorumQueues'],
  'a claim is fenced by its token': ['workerDeduplicateSuccessfulTasks'],
  'connections are named by Lovage': ['redisClientName'],
  'a connection that does not answer is noticed by itself': ['redisBackendHealthCheckInterval'],
  'put user name and password into the URL': ['redisBackendCredentialProvider'],
  'Node starts processes in one way': ['workerPoolStartMethod'],
  'the parts of a worker are not classes by path': [
    'workerConsumer',
    'workerAgent',
    'workerTimer',
    'workerTimerPrecision',
  ],
  'a failed call of the backend is always tried again': [
    'resultBackendAlwaysRetry',
    'resultBackendMaxRetries',
    'resultBackendBaseSleepBetweenRetriesMs',
    'resultBackendMaxSleepBetweenRetriesMs',
  ],
  'let the service manager set it': [
    'workerUid',
    'workerGid',
    'workerUmask',
    'workerExecutable',
    'beatUid',
    'beatGid',
    'beatUmask',
    'beatExecutable',
    'eventsUid',
    'eventsGid',
    'eventsUmask',
    'eventsExecutable',
  ],
  'chords do not exist yet': [
    'resultChordExpires',
    'resultChordJoinTimeout',
    'resultChordRetryInterval',
    'taskAllowErrorCbOnChordHeader',
  ],
  'events do not exist yet': [
    'taskSendSentEvent',
    'workerSendTaskEvents',
    'eventExchange',
    'eventQueuePrefix',
    'eventQueueExpires',
    'eventQueueTtl',
    'eventQueueExclusive',
    'eventQueueDurable',
    'eventSerializer',
  ],
  'remote control does not exist yet': [
    'workerEnableRemoteControl',
    'workerDirect',
    'workerPoolRestarts',
    'workerStateDb',
    'beatEnableRemoteControl',
    'beatRemoteControlMaxTickAge',
    'controlExchange',
    'controlQueueTtl',
    'controlQueueExpires',
    'controlQueueExclusive',
    'controlQueueDurable',
  ],
  'rate limits do not exist yet': ['taskDefaultRateLimit', 'workerDisableRateLimits'],
  'pools of processes do not exist yet': [
    'taskRejectOnWorkerLost',
    'taskRetryOnWorkerLost',
    'workerMaxTasksPerChild',
    'workerMaxMemoryPerChild',
    'workerLostWait',
    'workerProcAliveTimeout',
    'workerPoolPutlocks',
    'workerAutoscaler',
  ],
  'messages are not signed yet': [
    'securityKey',
    'securityKeyPassword',
    'securityCertificate',
    'securityCertStore',
    'securityDigest',
  ],
}

const OLD_NAMES: Readonly<Record<string, readonly string[]>> = {
  workerEnablePrefetchCountReduction: ['CELERYD_ENABLE_PREFETCH_COUNT_REDUCTION'],
  workerEtaTaskLimit: ['CELERYD_ETA_TASK_LIMIT'],
  workerDetectQuorumQueues: ['CELERYD_DETECT_QUORUM_QUEUES'],
  workerDeduplicateSuccessfulTasks: ['CELERYD_DEDUPLICATE_SUCCESSFUL_TASKS'],
  workerEnableRemoteControl: ['CELERY_ENABLE_REMOTE_CONTROL'],
  workerSendTaskEvents: ['CELERY_SEND_EVENTS'],
  workerDisableRateLimits: ['CELERY_DISABLE_RATE_LIMITS'],
  workerMaxTasksPerChild: ['CELERYD_MAX_TASKS_PER_CHILD'],
  workerMaxMemoryPerChild: ['CELERYD_MAX_MEMORY_PER_CHILD'],
  workerLostWait: ['CELERYD_WORKER_LOST_WAIT'],
  workerProcAliveTimeout: ['CELERYD_PROC_ALIVE_TIMEOUT'],
  workerPoolPutlocks: ['CELERYD_POOL_PUTLOCKS'],
  workerPoolRestarts: ['CELERYD_POOL_RESTARTS'],
  workerPoolStartMethod: ['CELERYD_POOL_START_METHOD'],
  workerAutoscaler: ['CELERYD_AUTOSCALER'],
  workerConsumer: ['CELERYD_CONSUMER'],
  workerAgent: ['CELERYD_AGENT'],
  workerTimer: ['CELERYD_TIMER'],
  workerTimerPrecision: ['CELERYD_TIMER_PRECISION'],
  workerStateDb: ['CELERYD_STATE_DB'],
  workerHijackRootLogger: ['CELERYD_HIJACK_ROOT_LOGGER'],
  workerLogDatefmt: ['CELERYD_LOG_DATEFMT'],
  workerTaskLogDatefmt: ['CELERYD_TASK_LOG_DATEFMT'],
  taskRejectOnWorkerLost: ['CELERY_REJECT_ON_WORKER_LOST'],
  taskRetryOnWorkerLost: ['CELERY_RETRY_ON_WORKER_LOST'],
  taskDefaultRateLimit: ['CELERY_DEFAULT_RATE_LIMIT'],
  taskSendSentEvent: ['CELERY_SEND_TASK_SENT_EVENT'],
  taskRemoteTracebacks: ['CELERY_REMOTE_TRACEBACKS'],
  taskReprMaxlevels: ['CELERY_REPR_MAXLEVELS'],
  taskAllowErrorCbOnChordHeader: ['CELERY_ALLOW_ERROR_CB_ON_CHORD_HEADER'],
  redisMaxConnections: ['CELERY_REDIS_MAX_CONNECTIONS'],
  redisRetryOnTimeout: ['CELERY_REDIS_RETRY_ON_TIMEOUT'],
  resultCacheMax: ['CELERY_MAX_CACHED_RESULTS'],
  databaseEngineOptions: ['CELERY_RESULT_ENGINE_OPTIONS'],
  databaseShortLivedSessions: ['CELERY_RESULT_DB_SHORT_LIVED_SESSIONS'],
  beatScheduler: ['CELERYBEAT_SCHEDULER'],
  beatSyncEvery: ['CELERYBEAT_SYNC_EVERY'],
  beatEnableRemoteControl: ['CELERYBEAT_ENABLE_REMOTE_CONTROL'],
  beatRemoteControlMaxTickAge: ['CELERYBEAT_REMOTE_CONTROL_MAX_TICK_AGE'],
}

/**
 * Options of Celery that are accepted and ignored, so that one settings file serves Python and Node. A worker names those
 * that are set.
 */
export const INACTIVE_OPTIONS: ReadonlyMap<string, InactiveOption> = new Map(
  Object.entries(NAMES).flatMap(([reason, names]) =>
    names.map((name) => [name, { reason, old: OLD_NAMES[name] ?? [] }] as const),
  ),
)

/** One sentence about the settings that are set and that nothing acts on in this version; `undefined` where there are none. */
export function inactiveSettingsNote(settings: { has(name: string): boolean }): string | undefined {
  const names = [...INACTIVE_OPTIONS]
    .filter(([name]) => settings.has(name))
    .map(([name, { reason }]) => `${name} (${reason})`)
  if (names.length === 0) return undefined
  return `nothing acts on these settings in this version: ${names.join(', ')}`
}
