import type { Scenario } from './harness/scenario.js'
import { codecScenario } from './scenario/codec.js'
import { memoryDrain } from './scenario/memory-drain.js'
import { redisDrain } from './scenario/redis-drain.js'
import { redisEnqueue } from './scenario/redis-enqueue.js'
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
  sqsDrain,
  sqsEnqueue,
  workerMemory,
  workerRest,
]
