/** A test that fails when its option is ignored: its file in `test`, and its name as it is written there. */
export type Proof = readonly [file: string, test: string]

const BACKEND_URL: Proof = ['unit/config/backend-choice.test.ts', 'is a URL for %s']
const STORES = 'unit/app/store-options.test.ts'
const AUTO_MIGRATE: Proof = [STORES, 'makes no tables of %j, and names the command that does']
const BROKER_URL: Proof = ['unit/config/backend-choice.test.ts', 'puts the URL together from its parts']
const DEAD_LETTERS: Proof = [
  'unit/worker/dead-letter-watch.test.ts',
  'are dropped when they are older than deadLetterExpires or more than deadLetterMaxLength',
]
const DRIVER_OPTIONS: Proof = [
  STORES,
  'is brokerTransportOptions for a broker and resultBackendTransportOptions for a backend',
]
const EAGER = 'integration/eager.test.ts'
const FIRST_SEND = 'unit/app/first-send.test.ts'
const LOGIN = 'integration/rabbitmq/login.test.ts'
const MESSAGES = 'integration/feature/messages.test.ts'
const RECONNECT = 'unit/worker/reconnect.test.ts'
const REDIS = 'integration/redis/backend-settings.test.ts'
const REFUSALS = 'fault/rabbitmq-refusals.test.ts'
const ROUTES = 'unit/app/routes.test.ts'
const ROUTING = 'integration/feature/routing.test.ts'
const SENT = 'unit/app/sent-options.test.ts'
const SHUTDOWN = 'unit/worker/shutdown.test.ts'
const TABLES: Proof = [
  'integration/sql/result-tables.test.ts',
  'has one name for its result tables, and says so',
]
const WORKER = 'unit/worker/settings.test.ts'
const WORKER_LOG = 'unit/cli/worker-log.test.ts'

/** The proof of each option. */
export const PROOFS: Readonly<Record<string, Proof>> = {
  acceptContent: [MESSAGES, '%s goes to the worker and its result comes back'],
  resultAcceptContent: [MESSAGES, 'a result in a form that resultAcceptContent does not name is refused'],
  enableUtc: [
    'integration/beat/machine-zone.test.ts',
    'in %s on %s is the same to beat and to an eta, and UTC unless enableUtc is off',
  ],
  timezone: ['integration/beat/beat.test.ts', 'sends a crontab in the zone of the app, or of its own'],
  imports: [
    'integration/feature/settings.test.ts',
    'modules of tasks load in the order of imports, then include, then -I',
  ],
  include: [
    'integration/feature/settings.test.ts',
    'modules of tasks load in the order of imports, then include, then -I',
  ],
  brokerUrl: [
    'integration/feature/command-line.test.ts',
    'lovage.config.js is read by a process that sends as by the worker beside it',
  ],
  brokerTransport: BROKER_URL,
  brokerHost: BROKER_URL,
  brokerPort: BROKER_URL,
  brokerUser: BROKER_URL,
  brokerPassword: BROKER_URL,
  brokerVhost: BROKER_URL,
  brokerConnectionTimeout: [FIRST_SEND, 'closes what it gave up on, so that the process can end'],
  brokerConnectionRetryOnStartup: [RECONNECT, 'does not wait when it was told not to'],
  brokerConnectionMaxRetries: [RECONNECT, 'gives up after brokerConnectionMaxRetries'],
  brokerChannelErrorRetry: [RECONNECT, 'ends when the store refuses it, unless brokerChannelErrorRetry (%s)'],
  brokerFailoverStrategy: ['unit/app/failover.test.ts', 'are tried as a function says'],
  brokerLoginMethod: [LOGIN, 'is entered by the method that brokerLoginMethod names, and by no other'],
  brokerUseSsl: [LOGIN, 'is reached by TLS, and only where its certificate can be checked'],
  lease: [WORKER, 'the lease is that of the claims, in milliseconds'],
  maxDeliveries: [
    'fault/killed-worker/suite.ts',
    'by its own task ends as a dead letter after maxDeliveries, and the next worker lives',
  ],
  unknownTaskTimeout: [
    'unit/worker/worker-refusals.test.ts',
    'gives up on an unknown name after unknownTaskTimeout: dead letter and FAILURE NotRegistered',
  ],
  publishTimeout: [FIRST_SEND, 'fails within the deadline when connecting hangs, retry: %s'],
  shutdownTimeout: [
    SHUTDOWN,
    'aborts what does not finish in time and gives it back without spending a delivery',
  ],
  strictTyping: [SENT, 'is checked unless strictTyping is off, and always where the task says typing'],
  maxMessageBytes: ['unit/app/app.test.ts', 'refuses a body that is longer than maxMessageBytes'],
  resultBackend: BACKEND_URL,
  resultSerializer: [MESSAGES, '%s goes to the worker and its result comes back'],
  resultCompression: [
    'integration/feature/result-store.test.ts',
    'hands a store that can hold it what Celery writes: mark, name, bytes',
  ],
  resultExpires: ['integration/results.test.ts', 'results end after resultExpires'],
  resultFailureExpires: [
    WORKER,
    'resultFailureExpires: a failure is forgotten while a success of the same age is kept',
  ],
  resultExtended: [
    'integration/feature/context.test.ts',
    'STARTED tells process and worker, and extended results tell the call',
  ],
  overrideBackends: [
    'integration/feature/result-store.test.ts',
    'puts a store of the user in the place of a built-in one, by scheme',
  ],
  taskAlwaysEager: [EAGER, 'taskAlwaysEager runs delay here, with no broker'],
  taskEagerPropagates: [
    EAGER,
    'taskEagerPropagates throws at the call, and without it the error is in the result',
  ],
  taskStoreEagerResult: [EAGER, 'taskStoreEagerResult saves the result'],
  taskAcksLate: [WORKER, 'task_acks_late: %s, an interrupted task is handed back: %s'],
  taskAcksOnTimeout: [WORKER, 'taskAcksOnTimeout: %s, a task that passed its hard limit runs %s times'],
  taskIgnoreResult: [
    'integration/feature/context.test.ts',
    'a result is ignored as the call, else the task, else the setting says',
  ],
  taskStoreErrorsEvenIfIgnored: [WORKER, 'taskStoreErrorsEvenIfIgnored: %s'],
  taskTrackStarted: [
    'integration/feature/context.test.ts',
    'STARTED tells process and worker, and extended results tell the call',
  ],
  taskSerializer: [SENT, 'is written as %s says'],
  taskCompression: [SENT, 'is compressed as %s says'],
  taskProtocol: ['unit/app/app.test.ts', 'writes protocol 1 on request, which reads back the same'],
  taskDefaultQueue: [ROUTES, 'goes to the configured default queue'],
  taskDefaultExchange: [
    ROUTING,
    'queues that share a topic exchange get the tasks that are sent to them, and no others',
  ],
  taskDefaultExchangeType: [
    ROUTING,
    'queues that share a topic exchange get the tasks that are sent to them, and no others',
  ],
  taskDefaultDeliveryMode: [SENT, 'is kept over a restart or not, taskDefaultDeliveryMode: %s'],
  taskDefaultPriority: [SENT, 'has the priority %s: the setting, the task or the call'],
  taskInheritParentPriority: [WORKER, 'taskInheritParentPriority: %s, the priority of a child is %s'],
  taskQueues: [ROUTING, 'topic, fanout and direct exchanges reach the queues that are bound to them'],
  taskRoutes: [ROUTING, 'a call option beats the task, which beats the route, which beats the default'],
  taskAnnotations: ['unit/app/annotations.test.ts', 'changes an option by %s'],
  taskCreateMissingQueues: [ROUTING, 'a mistyped queue is refused where missing ones are not created'],
  taskPublishRetry: [FIRST_SEND, 'is tried as often as it is said: %s'],
  taskPublishRetryPolicy: [FIRST_SEND, 'is tried as often as it is said: %s'],
  workerPool: [
    'unit/worker/consuming.test.ts',
    'runs on the event loop where the pool %s was asked for, and warns',
  ],
  workerConcurrency: [WORKER, 'of %j, tasks that run at once: %s'],
  workerSoftShutdownTimeout: [
    SHUTDOWN,
    'a soft shutdown of a worker that runs nothing, workerEnableSoftShutdownOnIdle: %s',
  ],
  workerEnableSoftShutdownOnIdle: [
    SHUTDOWN,
    'a soft shutdown of a worker that runs nothing, workerEnableSoftShutdownOnIdle: %s',
  ],
  workerCancelLongRunningTasksOnConnectionLoss: [
    RECONNECT,
    'cancels late-acknowledged tasks when told to, and runs them again%s',
  ],
  workerRedirectStdouts: [
    'e2e/worker-log.test.ts',
    'workerRedirectStdouts off leaves console alone, the level can be chosen, forms of Python’s apply',
  ],
  workerRedirectStdoutsLevel: [
    'e2e/worker-log.test.ts',
    'workerRedirectStdouts off leaves console alone, the level can be chosen, forms of Python’s apply',
  ],
  workerLogColor: [WORKER_LOG, '%s, on a terminal: %s, colours: %s'],
  workerLogFormat: [WORKER_LOG, 'is the form of the lines, which are text then'],
  beatSchedule: ['unit/app/periodic.test.ts', 'has its times in the zone of %j'],
  beatMaxLoopInterval: ['integration/beat/signs.test.ts', 'is the longest time between two looks'],
  beatCronStartingDeadline: [
    'integration/beat/beat.test.ts',
    'sends no crontab that is later than beatCronStartingDeadline',
  ],
  databaseUrl: BACKEND_URL,
  databaseTableNames: TABLES,
  redisHost: BACKEND_URL,
  redisPort: BACKEND_URL,
  redisDb: BACKEND_URL,
  redisPassword: BACKEND_URL,
  redisUsername: [REDIS, 'redis_username and redis_password are the account of the bare name'],
  redisBackendUseSsl: ['integration/feature/tls-asked.test.ts', 'is in force, or an error: %s: %s'],
  redisSocketTimeout: [REDIS, 'redis_socket_timeout bounds the wait for an answer'],
  redisSocketConnectTimeout: [REDIS, 'redis_socket_connect_timeout bounds the connect'],
  redisSocketKeepalive: [REDIS, 'redis_socket_keepalive is TCP keep-alive: %s'],
  cacheBackend: BACKEND_URL,
  mongodbBackendSettings: [
    'integration/mongodb/backend-settings.test.ts',
    'are where mongodbBackendSettings says, and its options are the driver’s',
  ],
  delay: [WORKER, 'delay: eta sends a delayed task at once, with its moment; store keeps it until it is due'],
  taskAcksOnFailure: [WORKER, 'of %j, failed messages that are set aside: %s'],
  taskAcksOnFailureOrTimeout: [WORKER, 'of %j, failed messages that are set aside: %s'],
  taskTimeLimit: [WORKER, 'of %j, a task that takes too long fails with %s'],
  taskSoftTimeLimit: [WORKER, 'of %j, a task that takes too long fails with %s'],
  workerPrefetchMultiplier: [WORKER, 'of %j, two slots hold at least %s and at most %s'],
  workerDisablePrefetch: [WORKER, 'of %j, two slots hold at least %s and at most %s'],
  workerTaskLogFormat: [WORKER_LOG, 'is the form of what tasks write'],
  taskDefaultRoutingKey: [ROUTES, 'has the key, the type and the priorities that settings give it'],
  taskDefaultQueueType: [ROUTES, 'has the key, the type and the priorities that settings give it'],
  taskQueueMaxPriority: [ROUTES, 'has the key, the type and the priorities that settings give it'],
  taskCreateMissingQueueType: [ROUTES, 'has the types that settings give to missing ones'],
  taskCreateMissingQueueExchangeType: [ROUTES, 'has the types that settings give to missing ones'],
  brokerTransportOptions: DRIVER_OPTIONS,
  resultBackendTransportOptions: DRIVER_OPTIONS,
  brokerConnectionRetry: [
    'integration/rabbitmq/options.test.ts',
    'brokerConnectionRetry %s decides what a lost connection is',
  ],
  brokerHeartbeat: [REFUSALS, 'asks of the server the heartbeat that brokerHeartbeat says: %i'],
  brokerNativeDelayedDeliveryQueueType: [
    REFUSALS,
    'brokerNativeDelayedDeliveryQueueType makes the queues of delays %s',
  ],
  readAhead: [WORKER, 'of %j, short tasks that one look claims into two free slots: %s'],
  blockedLoopLimit: [
    'fault/killed-worker/suite.ts',
    'by its keeper, as a body without a limit blocks it for longer than blockedLoopLimit, names the body',
  ],
  databaseAutoMigrate: AUTO_MIGRATE,
  databaseCreateTablesAtSetup: AUTO_MIGRATE,
  databaseTableSchemas: [
    'integration/sql/result-tables.test.ts',
    'results are in the schemas that databaseTableSchemas names',
  ],
  sqliteSynchronous: [STORES, 'makes SQLite wait for the disk as sqliteSynchronous says: %j is level %s'],
  resultPersistent: [STORES, '%s: messages of rpc survive a restart of the broker: %s'],
  beatScheduleFilename: [STORES, 'are in the file that beatScheduleFilename names'],
  beatStore: [STORES, 'are where beatStore says'],
  deadLetterExpires: DEAD_LETTERS,
  deadLetterMaxLength: DEAD_LETTERS,
}
