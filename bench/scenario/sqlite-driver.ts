/**
 * The SQLite driver alone, without a worker, against the raw engine at the same durability.
 *
 * Run: `node dist/bench/scenario/sqlite-driver.js [engine] [rounds]`. Rounds alternate between the two; the median of
 * the ratios is what counts, with the processor time a message beside it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '../../brokers/sql/index.js'
import { chooseEngine, isEngineName } from '../../brokers/sql/engine/choose.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import type { Broker } from '../../src/broker/contract.js'
import { benchMessage, openRawQueue, rawDrain, rawEnqueue } from './sqlite-raw.js'

const COUNT = 20_000
const BATCH = 100
const never = new AbortController().signal

interface Cost {
  readonly wallUs: number
  readonly cpuUs: number
}

interface Round {
  readonly enqueue: Cost
  readonly drain: Cost
}

async function measured(work: () => unknown): Promise<Cost> {
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  await work()
  const wallUs = ((performance.now() - startMs) * 1000) / COUNT
  const used = process.cpuUsage(cpu)
  return { wallUs, cpuUs: (used.user + used.system) / COUNT }
}

async function enqueue(broker: Broker): Promise<void> {
  for (let from = 0; from < COUNT; from += BATCH) {
    await broker.publish(
      Array.from({ length: BATCH }, (_, index) => ({
        route: { exchange: '', routingKey: 'celery' },
        message: {
          ...benchMessage(from + index),
          contentType: 'application/json',
          contentEncoding: 'utf-8',
          properties: {},
        },
      })),
    )
  }
}

async function drain(broker: Broker): Promise<void> {
  const consumer = await broker.consume(['celery'], { credit: 1000, leaseMs: 30_000 })
  for (;;) {
    const deliveries = await consumer.fetch(BATCH, { waitMs: 0, signal: never })
    if (deliveries.length === 0) break
    await consumer.ack(deliveries)
  }
  await consumer.close()
}

async function rawRound(folder: string, engineName: string | undefined): Promise<Round> {
  const engine = await chooseEngine(engineOf(engineName))
  const native = openRawQueue(engine, join(folder, 'raw.db'))
  const round = {
    enqueue: await measured(() => {
      rawEnqueue(native, COUNT)
    }),
    drain: await measured(() => rawDrain(native)),
  }
  native.close()
  return round
}

async function driverRound(folder: string, engineName: string | undefined): Promise<Round> {
  const query = engineName === undefined ? '' : `?engine=${engineName}`
  const broker = createBroker(parseConnectionUrl(`sqlite:///${join(folder, 'driver.db')}${query}`), {})
  await broker.connect(never)
  await broker.declare({ name: 'celery', lifetime: 'durable', bindings: [] })
  const round = { enqueue: await measured(() => enqueue(broker)), drain: await measured(() => drain(broker)) }
  await broker.close()
  return round
}

function engineOf(name: string | undefined): Parameters<typeof chooseEngine>[0] {
  return name !== undefined && isEngineName(name) ? name : undefined
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

const [, , engineName, roundsText = '5'] = process.argv
const rounds: { readonly raw: Round; readonly driver: Round }[] = []
for (let round = 0; round < Number(roundsText); round += 1) {
  const folder = await mkdtemp(join(tmpdir(), 'lovage-bench-'))
  rounds.push({ raw: await rawRound(folder, engineName), driver: await driverRound(folder, engineName) })
  await rm(folder, { recursive: true })
}
for (const part of ['enqueue', 'drain'] as const) {
  const wall = median(rounds.map(({ raw, driver }) => raw[part].wallUs / driver[part].wallUs))
  const cpu = median(rounds.map(({ raw, driver }) => raw[part].cpuUs / driver[part].cpuUs))
  const perSecond = 1e6 / median(rounds.map(({ driver }) => driver[part].wallUs))
  const cpuUs = median(rounds.map(({ driver }) => driver[part].cpuUs))
  process.stdout.write(
    `${part}: ${perSecond.toFixed(0)} messages/s, ${wall.toFixed(2)} of raw; ${cpuUs.toFixed(1)} us of processor, ` +
      `${cpu.toFixed(2)} of raw's share\n`,
  )
}
