// Generated from the option table by test/check/generate-reference.mjs.
import type { DurationInput } from '../util/duration.js'
import type { BackendSetting, BrokerSetting, FailoverStrategy, SslSetting } from './value/store-settings.js'
import type { DeliveryModeSetting, TaskAnnotations } from './value/task-settings.js'
import type { QueueSetting, QueuesInput, RouteSetting, RoutesInput } from './routing-settings.js'
import type { RetryPolicy, RetryPolicyInput } from './retry-policy.js'
import type { PoolInput, PoolName } from './value/worker-settings.js'
import type { BeatSchedule, BeatScheduleInput } from './value/beat-settings.js'

/** What a user writes: every option, none required. */
export interface ConfigInput {
  /**
   * Content types that are read, by name or MIME type. Anything else is refused before it is decoded and set aside. `pickle` is never accepted, because reading it runs code.
   *
   * @defaultValue `["json"]`
   */
  readonly acceptContent?: readonly string[] | undefined
  /**
   * Content types that are read from the result backend.
   *
   * @defaultValue the value of `acceptContent`
   */
  readonly resultAcceptContent?: readonly string[] | undefined
  /**
   * Whether times without a zone are UTC. Off, they are in the machine's zone unless `timezone` names one.
   *
   * @defaultValue `true`
   */
  readonly enableUtc?: boolean | undefined
  /**
   * Time zone of schedules and printed times, as an IANA name such as `Europe/London`.
   *
   * @defaultValue UTC, or the machine’s zone without `enableUtc`
   */
  readonly timezone?: string | undefined
  /**
   * Modules that a worker loads when it starts, in this order, so that their tasks are registered.
   *
   * @defaultValue `[]`
   */
  readonly imports?: readonly string[] | undefined
  /**
   * More modules for a worker to load, after those of `imports`.
   *
   * @defaultValue `[]`
   */
  readonly include?: readonly string[] | undefined
  /**
   * The broker: a URL, several for failover (a list, or one text split by `;`), or an object such as a Knex instance of the application. Not set, an embedded SQLite file is used.
   *
   * @defaultValue not set
   */
  readonly brokerUrl?: BrokerSetting | undefined
  /** The same as `brokerUrl`. */
  readonly broker?: BrokerSetting | undefined
  /**
   * Scheme of the broker when `brokerUrl` is not set and the URL is put together from its parts.
   *
   * @defaultValue not set
   */
  readonly brokerTransport?: string | undefined
  /**
   * Options of the driver, under kombu's names (`visibility_timeout`, `region`, `is_secure`, `global_keyprefix`) or its own.
   *
   * @defaultValue `{}`
   */
  readonly brokerTransportOptions?: Readonly<Record<string, unknown>> | undefined
  /**
   * How long opening a connection to the broker may take.
   *
   * @defaultValue 4 seconds
   */
  readonly brokerConnectionTimeout?: DurationInput | undefined
  /**
   * Whether a worker connects again after it lost the broker.
   *
   * @defaultValue `true`
   */
  readonly brokerConnectionRetry?: boolean | undefined
  /**
   * Whether a worker that finds no broker when it starts keeps trying.
   *
   * @defaultValue the value of `brokerConnectionRetry`
   */
  readonly brokerConnectionRetryOnStartup?: boolean | undefined
  /**
   * Attempts to connect before a worker gives up; 0 or `Infinity` for no limit.
   *
   * @defaultValue `100`
   */
  readonly brokerConnectionMaxRetries?: number | null | undefined
  /**
   * Whether a worker that connects keeps trying too when the broker refuses it: a queue that exists otherwise, no access, no such virtual host. A channel that fails later is always opened anew.
   *
   * @defaultValue `false`
   */
  readonly brokerChannelErrorRetry?: boolean | undefined
  /**
   * The order in which several broker URLs are tried.
   *
   * @defaultValue `round-robin`
   */
  readonly brokerFailoverStrategy?: FailoverStrategy | undefined
  /**
   * Interval of AMQP heartbeats; 0 turns them off.
   *
   * @defaultValue 120 seconds
   */
  readonly brokerHeartbeat?: DurationInput | undefined
  /**
   * AMQP login method, for example `PLAIN` or `EXTERNAL`.
   *
   * @defaultValue not set
   */
  readonly brokerLoginMethod?: string | undefined
  /**
   * Type of the queues that hold delayed messages on RabbitMQ.
   *
   * @defaultValue `quorum`
   */
  readonly brokerNativeDelayedDeliveryQueueType?: 'classic' | 'quorum' | undefined
  /**
   * TLS to the broker: `true`, or the client's TLS options (`ca_certs`, `certfile`, `keyfile`, `cert_reqs`).
   *
   * @defaultValue `false`
   */
  readonly brokerUseSsl?: SslSetting | undefined
  /**
   * Host of the broker, used when `brokerUrl` is not set.
   *
   * @defaultValue not set
   */
  readonly brokerHost?: string | undefined
  /**
   * Port of the broker, used with `brokerHost`.
   *
   * @defaultValue not set
   */
  readonly brokerPort?: number | undefined
  /**
   * User name at the broker, used with `brokerHost`.
   *
   * @defaultValue not set
   */
  readonly brokerUser?: string | undefined
  /**
   * Password at the broker, used with `brokerHost`.
   *
   * @defaultValue not set
   */
  readonly brokerPassword?: string | undefined
  /**
   * Virtual host or database of the broker, used with `brokerHost`.
   *
   * @defaultValue not set
   */
  readonly brokerVhost?: string | undefined
  /**
   * How long a claimed message stays hidden from other workers unless its claim is renewed. The worker renews while a task runs, so this bounds the delay after a crash, not the length of a task.
   *
   * @defaultValue 30 seconds
   */
  readonly lease?: DurationInput | undefined
  /**
   * Deliveries of one message, deaths of workers included and unspent hand-backs left out, before it is set aside as a dead letter. The first death of a worker is held against none of its messages, so 1 lets them run once more, one at a time.
   *
   * @defaultValue `5`
   */
  readonly maxDeliveries?: number | undefined
  /**
   * How long a message whose task no worker knows goes back to its queue before it becomes a dead letter and its result a failure.
   *
   * @defaultValue 10 minutes
   */
  readonly unknownTaskTimeout?: DurationInput | undefined
  /**
   * How long a dead letter is kept in `<queue>.dead`; SQS keeps none longer than the retention of its queue.
   *
   * @defaultValue 7 days
   */
  readonly deadLetterExpires?: DurationInput | undefined
  /**
   * Most dead letters that are kept for one queue; the oldest are dropped first.
   *
   * @defaultValue `10000`
   */
  readonly deadLetterMaxLength?: number | undefined
  /**
   * How long the broker may take to confirm a message before sending fails.
   *
   * @defaultValue 5 seconds
   */
  readonly publishTimeout?: DurationInput | undefined
  /**
   * How much work, in time at the measured speed, is claimed ahead of free slots; 0 claims into free slots alone.
   *
   * @defaultValue 50 milliseconds
   */
  readonly readAhead?: DurationInput | undefined
  /**
   * How long running tasks may go on after the first signal before they are aborted and handed back without spending a delivery. The default leaves 5 of the 30 seconds that Kubernetes grants.
   *
   * @defaultValue 25 seconds
   */
  readonly shutdownTimeout?: DurationInput | undefined
  /**
   * How long tasks may keep the event loop of a worker from turning. Then its process is ended (SIGKILL) and the tasks are named: nothing else can end them, signals and time limits included. A task with a time limit that blocks the loop ends it five seconds after that limit.
   *
   * @defaultValue 30 minutes
   */
  readonly blockedLoopLimit?: DurationInput | undefined
  /**
   * How a message with a countdown or an eta is sent: `store` keeps it in the broker until it is due, `eta` sends it at once for the worker to hold, as Celery does.
   *
   * @defaultValue `store`
   */
  readonly delay?: 'store' | 'eta' | undefined
  /**
   * Whether the number of arguments is checked at the call, unless a task says otherwise.
   *
   * @defaultValue `true`
   */
  readonly strictTyping?: boolean | undefined
  /**
   * Whether tables of a SQL URL are made and extended at the first connect. Off, an error names `lovage migrate`. Never on an object that the application hands over.
   *
   * @defaultValue the value of `databaseCreateTablesAtSetup`
   */
  readonly databaseAutoMigrate?: boolean | undefined
  /**
   * How SQLite syncs to disk. `full` survives a loss of power; `normal` is faster and may lose the last commits then.
   *
   * @defaultValue `full`
   */
  readonly sqliteSynchronous?: 'off' | 'normal' | 'full' | 'extra' | undefined
  /**
   * Largest body that is read, measured after decompression, so that a small message cannot fill the memory.
   *
   * @defaultValue `268435456`
   */
  readonly maxMessageBytes?: number | undefined
  /**
   * The result backend: a URL, a bare name (`rpc`, `redis`, `database`, `mongodb`), an object, or `false` for no results. Not set, results go to the store of the broker where it can hold them.
   *
   * @defaultValue not set
   */
  readonly resultBackend?: BackendSetting | undefined
  /** The same as `resultBackend`. */
  readonly backend?: BackendSetting | undefined
  /**
   * Serializer of results.
   *
   * @defaultValue `json`
   */
  readonly resultSerializer?: string | undefined
  /**
   * Compressor of results, for example `gzip`, for stores whose format of a result has it. SQL tables and memory have not: as in Celery, results are then stored as they are, and a warning says so.
   *
   * @defaultValue not set
   */
  readonly resultCompression?: string | undefined
  /**
   * How long a result is kept; 0 or `None` keeps it until it is forgotten.
   *
   * @defaultValue 1 day
   */
  readonly resultExpires?: DurationInput | null | undefined
  /**
   * How long a result of a failed task is kept.
   *
   * @defaultValue the value of `resultExpires`
   */
  readonly resultFailureExpires?: DurationInput | null | undefined
  /**
   * Whether name, arguments, queue, worker and retries of the task are stored with its result.
   *
   * @defaultValue `false`
   */
  readonly resultExtended?: boolean | undefined
  /**
   * Whether messages of the `rpc` backend survive a restart of the broker.
   *
   * @defaultValue not set
   */
  readonly resultPersistent?: boolean | undefined
  /**
   * Options of the backend's driver.
   *
   * @defaultValue `{}`
   */
  readonly resultBackendTransportOptions?: Readonly<Record<string, unknown>> | undefined
  /**
   * Result backends by scheme, in place of the built-in ones: a function `(url, options) => backend`, an object with `createBackend`, or the path of a module that exports it (`./my-backend.js`, `./my-backend.js:create`).
   *
   * @defaultValue `{}`
   */
  readonly overrideBackends?: Readonly<Record<string, unknown>> | undefined
  /**
   * Run a task where it is called, without a broker: `delay` returns when the task has ended.
   *
   * @defaultValue `false`
   */
  readonly taskAlwaysEager?: boolean | undefined
  /**
   * Whether an eager call throws what the task threw.
   *
   * @defaultValue `false`
   */
  readonly taskEagerPropagates?: boolean | undefined
  /**
   * Whether results of eager tasks are stored.
   *
   * @defaultValue `false`
   */
  readonly taskStoreEagerResult?: boolean | undefined
  /**
   * Acknowledge a message after its task has ended, so that a killed worker loses nothing. `false` acknowledges before and gives at most once. Celery's default is `false`.
   *
   * @defaultValue `true`
   */
  readonly taskAcksLate?: boolean | undefined
  /**
   * Acknowledge the message of a failed task; `false` makes it a dead letter.
   *
   * @defaultValue the value of `taskAcksOnFailureOrTimeout`
   */
  readonly taskAcksOnFailure?: boolean | undefined
  /**
   * Acknowledge the message of a task that passed its hard limit; `false` runs it again.
   *
   * @defaultValue the value of `taskAcksOnFailureOrTimeout`
   */
  readonly taskAcksOnTimeout?: boolean | undefined
  /**
   * Both of `taskAcksOnFailure` and `taskAcksOnTimeout`.
   *
   * @defaultValue `true`
   */
  readonly taskAcksOnFailureOrTimeout?: boolean | undefined
  /**
   * Store no results unless a task or call says otherwise.
   *
   * @defaultValue `false`
   */
  readonly taskIgnoreResult?: boolean | undefined
  /**
   * Store failures although results are ignored.
   *
   * @defaultValue `false`
   */
  readonly taskStoreErrorsEvenIfIgnored?: boolean | undefined
  /**
   * Store the state STARTED when a task starts.
   *
   * @defaultValue `false`
   */
  readonly taskTrackStarted?: boolean | undefined
  /**
   * Hard limit: past it the task has failed whatever its body does.
   *
   * @defaultValue not set
   */
  readonly taskTimeLimit?: DurationInput | undefined
  /**
   * Soft limit: past it `self.signal` aborts, and the body can end in order. Not longer than `taskTimeLimit`.
   *
   * @defaultValue not set
   */
  readonly taskSoftTimeLimit?: DurationInput | undefined
  /**
   * Serializer of messages.
   *
   * @defaultValue `json`
   */
  readonly taskSerializer?: string | undefined
  /**
   * Compressor of messages, for example `gzip`.
   *
   * @defaultValue not set
   */
  readonly taskCompression?: string | undefined
  /**
   * Version of the task message protocol that is written; 1 has no headers of the caller and no chains. Both are read.
   *
   * @defaultValue `2`
   */
  readonly taskProtocol?: number | undefined
  /**
   * Queue of tasks that no route, option or call sends elsewhere.
   *
   * @defaultValue `celery`
   */
  readonly taskDefaultQueue?: string | undefined
  /**
   * Exchange of listed queues that name none.
   *
   * @defaultValue the value of `taskDefaultQueue`
   */
  readonly taskDefaultExchange?: string | undefined
  /**
   * Type of exchanges that name none.
   *
   * @defaultValue `direct`
   */
  readonly taskDefaultExchangeType?: 'direct' | 'topic' | 'fanout' | 'headers' | undefined
  /**
   * Routing key of listed queues that name none.
   *
   * @defaultValue the value of `taskDefaultQueue`
   */
  readonly taskDefaultRoutingKey?: string | undefined
  /**
   * Type of the default queue on RabbitMQ.
   *
   * @defaultValue `classic`
   */
  readonly taskDefaultQueueType?: 'classic' | 'quorum' | undefined
  /**
   * Whether messages survive a restart of RabbitMQ: 2 (`persistent`) or 1 (`transient`).
   *
   * @defaultValue `2`
   */
  readonly taskDefaultDeliveryMode?: DeliveryModeSetting | undefined
  /**
   * Priority of messages that name none.
   *
   * @defaultValue not set
   */
  readonly taskDefaultPriority?: number | undefined
  /**
   * Whether a task sent from a task has its priority.
   *
   * @defaultValue `false`
   */
  readonly taskInheritParentPriority?: boolean | undefined
  /**
   * Highest priority of queues that name none, on RabbitMQ (`x-max-priority`).
   *
   * @defaultValue not set
   */
  readonly taskQueueMaxPriority?: number | undefined
  /**
   * The queues, with exchanges and bindings: a list, or an object by name. Not set, there is the default queue alone.
   *
   * @defaultValue not set
   */
  readonly taskQueues?: QueuesInput | undefined
  /**
   * Which task goes to which queue: an object of names, globs and targets, or a list of such objects, of pairs, of functions, and of paths of routers (`./routers.js:route`).
   *
   * @defaultValue `[]`
   */
  readonly taskRoutes?: RoutesInput | undefined
  /**
   * Options that take the place of those in the code: an object of task names, or `*` for all, and options of a task, in our spelling or Celery's. Of a list the first object with the name counts, and the first with `*`; what stands under `*` wins over what stands under a name, as in Celery.
   *
   * @defaultValue not set
   */
  readonly taskAnnotations?: TaskAnnotations | readonly TaskAnnotations[] | undefined
  /**
   * Whether a queue that is named but not in `taskQueues` is created.
   *
   * @defaultValue `true`
   */
  readonly taskCreateMissingQueues?: boolean | undefined
  /**
   * Type of queues created that way, on RabbitMQ.
   *
   * @defaultValue `classic`
   */
  readonly taskCreateMissingQueueType?: 'classic' | 'quorum' | undefined
  /**
   * Type of their exchanges.
   *
   * @defaultValue the value of `taskDefaultExchangeType`
   */
  readonly taskCreateMissingQueueExchangeType?: 'direct' | 'topic' | 'fanout' | 'headers' | undefined
  /**
   * Whether sending is tried again when the broker cannot be reached.
   *
   * @defaultValue `true`
   */
  readonly taskPublishRetry?: boolean | undefined
  /**
   * How sending is tried again: `maxRetries`, `intervalStart`, `intervalStep`, `intervalMax`, the last three in seconds.
   *
   * @defaultValue `{"maxRetries": 3, "intervalStart": 0, "intervalStep": 0.2, "intervalMax": 1}`
   */
  readonly taskPublishRetryPolicy?: RetryPolicyInput | undefined
  /**
   * Tasks that run at the same time; `auto` for the default.
   *
   * @defaultValue 10, and 1 for the pool solo
   */
  readonly workerConcurrency?: number | 'auto' | undefined
  /**
   * How tasks run: `async` (on the event loop) or `solo` (one at a time). There are no `threads` and `processes` (`prefork`) yet: a worker that is asked for them runs on `async` and warns. Celery's default is `prefork`.
   *
   * @defaultValue `async`
   */
  readonly workerPool?: PoolInput | undefined
  /**
   * Caps what is claimed ahead of free slots, as a multiple of the concurrency; 1 turns reading ahead off, 0 sets no cap beside `readAhead`. Celery's default is 4.
   *
   * @defaultValue `Infinity`
   */
  readonly workerPrefetchMultiplier?: number | null | undefined
  /**
   * Claim a message only for a free slot, whatever `workerPrefetchMultiplier` says.
   *
   * @defaultValue `false`
   */
  readonly workerDisablePrefetch?: boolean | undefined
  /**
   * How long running tasks may go on after the second signal, before they are given back.
   *
   * @defaultValue 0
   */
  readonly workerSoftShutdownTimeout?: DurationInput | undefined
  /**
   * Whether a worker that is stopped cold waits that long although no task runs.
   *
   * @defaultValue `false`
   */
  readonly workerEnableSoftShutdownOnIdle?: boolean | undefined
  /**
   * Whether late-acknowledged tasks are cancelled through their signal when the broker is lost, and run again.
   *
   * @defaultValue `false`
   */
  readonly workerCancelLongRunningTasksOnConnectionLoss?: boolean | undefined
  /**
   * Whether `lovage worker` sends what tasks print with `console` to its log.
   *
   * @defaultValue `true`
   */
  readonly workerRedirectStdouts?: boolean | undefined
  /**
   * The level it has there: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
   *
   * @defaultValue `WARNING`
   */
  readonly workerRedirectStdoutsLevel?: string | undefined
  /**
   * Whether the log of `lovage worker` is coloured.
   *
   * @defaultValue on a terminal
   */
  readonly workerLogColor?: boolean | undefined
  /**
   * Form of the lines of `lovage worker`, in Python's notation; when set, the log is text unless `--log-format` says otherwise.
   *
   * @defaultValue `[%(asctime)s: %(levelname)s/%(processName)s] %(message)s`
   */
  readonly workerLogFormat?: string | undefined
  /**
   * The same for what tasks write themselves.
   *
   * @defaultValue `[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s`
   */
  readonly workerTaskLogFormat?: string | undefined
  /**
   * Periodic tasks by name: `task`, `schedule`, `args`, `kwargs`, `options`, `relative`, `timezone`, `catchUp`, `enabled`.
   *
   * @defaultValue `{}`
   */
  readonly beatSchedule?: BeatScheduleInput | undefined
  /**
   * Where neither the broker nor the backend can hold schedules and `beatStore` names no other store: the SQLite file, with `.sqlite` behind this name, that one beat keeps them in.
   *
   * @defaultValue `celerybeat-schedule`
   */
  readonly beatScheduleFilename?: string | undefined
  /**
   * Longest sleep between two looks at the schedule, up to 2 seconds; 0 leaves it at those. Beat looks every 2 seconds whatever a longer one says, which a warning names.
   *
   * @defaultValue 0
   */
  readonly beatMaxLoopInterval?: DurationInput | undefined
  /**
   * How long after its time a missed instant of a crontab is still sent; without a value there is no limit.
   *
   * @defaultValue not set
   */
  readonly beatCronStartingDeadline?: DurationInput | undefined
  /**
   * URL of the store that keeps schedules, where it is not to be that of the broker or the backend: `redis://…`, `postgresql://…`, `mongodb://…`, `sqlite://…`.
   *
   * @defaultValue not set
   */
  readonly beatStore?: string | undefined
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
   * TLS to the result backend in Redis: `true`, or the TLS options (`ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`).
   *
   * @defaultValue not set
   */
  readonly redisBackendUseSsl?: SslSetting | undefined
  /**
   * How long an answer of Redis may take, 5 seconds unless set; then the connection is given up.
   *
   * @defaultValue not set
   */
  readonly redisSocketTimeout?: DurationInput | undefined
  /**
   * How long opening a connection may take, 5 seconds unless set.
   *
   * @defaultValue not set
   */
  readonly redisSocketConnectTimeout?: DurationInput | undefined
  /**
   * Whether TCP keep-alive is on; it is unless this is `false`.
   *
   * @defaultValue not set
   */
  readonly redisSocketKeepalive?: boolean | undefined
  /**
   * Cache of the bare backend name `cache`.
   *
   * @defaultValue not set
   */
  readonly cacheBackend?: string | undefined
  /**
   * Connection of the bare backend name `mongodb` (`host`, `port`, `user`, `password`), and for each MongoDB backend `database`, `taskmeta_collection`, `groupmeta_collection`, and `options` of the driver, which every other name is one of, too.
   *
   * @defaultValue not set
   */
  readonly mongodbBackendSettings?: Readonly<Record<string, unknown>> | undefined
}

/** What the code reads: every option, checked, defaults filled in, lengths of time in milliseconds. */
export interface Config {
  readonly acceptContent: readonly string[]
  readonly resultAcceptContent: readonly string[]
  readonly enableUtc: boolean
  readonly timezone: string
  readonly imports: readonly string[]
  readonly include: readonly string[]
  readonly brokerUrl: BrokerSetting | undefined
  readonly brokerTransport: string | undefined
  readonly brokerTransportOptions: Readonly<Record<string, unknown>>
  readonly brokerConnectionTimeoutMs: number
  readonly brokerConnectionRetry: boolean
  readonly brokerConnectionRetryOnStartup: boolean
  readonly brokerConnectionMaxRetries: number
  readonly brokerChannelErrorRetry: boolean
  readonly brokerFailoverStrategy: FailoverStrategy
  readonly brokerHeartbeatMs: number
  readonly brokerLoginMethod: string | undefined
  readonly brokerNativeDelayedDeliveryQueueType: 'classic' | 'quorum'
  readonly brokerUseSsl: SslSetting
  readonly brokerHost: string | undefined
  readonly brokerPort: number | undefined
  readonly brokerUser: string | undefined
  readonly brokerPassword: string | undefined
  readonly brokerVhost: string | undefined
  readonly leaseMs: number
  readonly maxDeliveries: number
  readonly unknownTaskTimeoutMs: number
  readonly deadLetterExpiresMs: number
  readonly deadLetterMaxLength: number
  readonly publishTimeoutMs: number
  readonly readAheadMs: number
  readonly shutdownTimeoutMs: number
  readonly blockedLoopLimitMs: number
  readonly delay: 'store' | 'eta'
  readonly strictTyping: boolean
  readonly databaseAutoMigrate: boolean
  readonly sqliteSynchronous: 'off' | 'normal' | 'full' | 'extra'
  readonly maxMessageBytes: number
  readonly resultBackend: BackendSetting | undefined
  readonly resultSerializer: string
  readonly resultCompression: string | undefined
  readonly resultExpiresMs: number
  readonly resultFailureExpiresMs: number
  readonly resultExtended: boolean
  readonly resultPersistent: boolean | undefined
  readonly resultBackendTransportOptions: Readonly<Record<string, unknown>>
  readonly overrideBackends: Readonly<Record<string, unknown>>
  readonly taskAlwaysEager: boolean
  readonly taskEagerPropagates: boolean
  readonly taskStoreEagerResult: boolean
  readonly taskAcksLate: boolean
  readonly taskAcksOnFailure: boolean
  readonly taskAcksOnTimeout: boolean
  readonly taskAcksOnFailureOrTimeout: boolean
  readonly taskIgnoreResult: boolean
  readonly taskStoreErrorsEvenIfIgnored: boolean
  readonly taskTrackStarted: boolean
  readonly taskTimeLimitMs: number | undefined
  readonly taskSoftTimeLimitMs: number | undefined
  readonly taskSerializer: string
  readonly taskCompression: string | undefined
  readonly taskProtocol: number
  readonly taskDefaultQueue: string
  readonly taskDefaultExchange: string
  readonly taskDefaultExchangeType: 'direct' | 'topic' | 'fanout' | 'headers'
  readonly taskDefaultRoutingKey: string
  readonly taskDefaultQueueType: 'classic' | 'quorum'
  readonly taskDefaultDeliveryMode: 1 | 2
  readonly taskDefaultPriority: number | undefined
  readonly taskInheritParentPriority: boolean
  readonly taskQueueMaxPriority: number | undefined
  readonly taskQueues: readonly QueueSetting[] | undefined
  readonly taskRoutes: readonly RouteSetting[]
  readonly taskAnnotations: readonly TaskAnnotations[] | undefined
  readonly taskCreateMissingQueues: boolean
  readonly taskCreateMissingQueueType: 'classic' | 'quorum'
  readonly taskCreateMissingQueueExchangeType: 'direct' | 'topic' | 'fanout' | 'headers'
  readonly taskPublishRetry: boolean
  readonly taskPublishRetryPolicy: RetryPolicy
  readonly workerConcurrency: number
  readonly workerPool: PoolName
  readonly workerPrefetchMultiplier: number
  readonly workerDisablePrefetch: boolean
  readonly workerSoftShutdownTimeoutMs: number
  readonly workerEnableSoftShutdownOnIdle: boolean
  readonly workerCancelLongRunningTasksOnConnectionLoss: boolean
  readonly workerRedirectStdouts: boolean
  readonly workerRedirectStdoutsLevel: string
  readonly workerLogColor: boolean | undefined
  readonly workerLogFormat: string
  readonly workerTaskLogFormat: string
  readonly beatSchedule: BeatSchedule
  readonly beatScheduleFilename: string
  readonly beatMaxLoopIntervalMs: number
  readonly beatCronStartingDeadlineMs: number | undefined
  readonly beatStore: string | undefined
  readonly databaseUrl: string | undefined
  readonly databaseTableNames: Readonly<Record<string, unknown>> | undefined
  readonly databaseTableSchemas: Readonly<Record<string, unknown>> | undefined
  readonly databaseCreateTablesAtSetup: boolean
  readonly redisHost: string | undefined
  readonly redisPort: number | undefined
  readonly redisDb: number | undefined
  readonly redisUsername: string | undefined
  readonly redisPassword: string | undefined
  readonly redisBackendUseSsl: SslSetting | undefined
  readonly redisSocketTimeoutMs: number | undefined
  readonly redisSocketConnectTimeoutMs: number | undefined
  readonly redisSocketKeepalive: boolean | undefined
  readonly cacheBackend: string | undefined
  readonly mongodbBackendSettings: Readonly<Record<string, unknown>> | undefined
}
