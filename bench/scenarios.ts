import type { Scenario } from './harness/scenario.js'
import { codecScenario } from './scenario/codec.js'
import { memoryDrain } from './scenario/memory-drain.js'
import { rabbitmqDrain } from './scenario/rabbitmq-drain.js'
import { rabbitmqEnqueue } from './scenario/rabbitmq-enqueue.js'
import { rabbitmqLatency } from './scenario/rabbitmq-latency.js'
import { postgresqlBacklog } from './scenario/postgresql-backlog.js'
import { postgresqlDrain } from './scenario/postgresql-drain.js'
import { postgresqlEnqueue } from './scenario/postgresql-enqueue.js'
import { postgresqlLatency } from './scenario/postgresql-latency.js'
import { postgresqlProcesses } from './scenario/postgresql-processes.js'
import { mongodbDrain } from './scenario/mongodb-drain.js'
import { mongodbLatency } from './scenario/mongodb-latency.js'
import { redisDrain } from './scenario/redis-drain.js'
import { redisDue } from './scenario/redis-due.js'
import { redisEnqueue } from './scenario/redis-enqueue.js'
import { redisLatency } from './scenario/redis-latency.js'
import { redisProcesses } from './scenario/redis-processes.js'
import { sqliteDrain } from './scenario/sqlite-drain.js'
import { sqliteEnqueue } from './scenario/sqlite-enqueue.js'
import { sqsDrain, sqsEnqueue } from './scenario/sqs.js'
import { startLatency } from './scenario/start-latency.js'
import { workerMemory } from './scenario/worker-memory.js'
import { workerRest } from './scenario/worker-rest.js'

/** Every scenario, the quick ones first. */
export const scenarios: readonly Scenario[] = [
  codecScenario,
  memoryDrain,
  sqliteDrain,
  sqliteEnqueue,
  startLatency,
  redisDrain,
  redisEnqueue,
  rabbitmqDrain,
  rabbitmqEnqueue,
  rabbitmqLatency,
  postgresqlDrain,
  postgresqlEnqueue,
  postgresqlLatency,
  postgresqlProcesses,
  postgresqlBacklog,
  mongodbDrain,
  mongodbLatency,
  redisLatency,
  redisDue,
  redisProcesses,
  sqsDrain,
  sqsEnqueue,
  workerMemory,
  workerRest,
]
