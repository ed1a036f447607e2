/**
 * graphile-worker doing what a scenario asks: `node graphile-worker.mjs <what> <url> <count> <concurrency> [<warm-up>]`.
 *
 * `drain` is its batch mode as its own performance test has it: jobs come 500 at a time, completions are collected.
 */
import { fork } from 'node:child_process'
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { finish, inFlight, quantile, stopwatch } from './measure.mjs'

const [, , what, url, countText, concurrencyText, warmUpText = '0'] = process.argv
const count = Number(countText)
const concurrency = Number(concurrencyText)
const warmUp = Number(warmUpText)
const logger = new Logger(() => () => undefined)

const batching = {
  worker: {
    connectionString: url,
    concurrentJobs: concurrency,
    maxPoolSize: 10,
    pollInterval: 2000,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    logger,
  },
}
const single = { worker: { connectionString: url, concurrentJobs: concurrency, pollInterval: 2000, logger } }

const specs = (from, size) =>
  Array.from({ length: size }, (_, index) => ({ identifier: 'noop', payload: { value: from + index } }))

async function withUtils(work) {
  const utils = await makeWorkerUtils({ connectionString: url, logger })
  await utils.migrate()
  try {
    return await work(utils)
  } finally {
    await utils.release()
  }
}

async function addAll(utils, total) {
  for (let sent = 0; sent < total; sent += 10_000)
    await utils.addJobs(specs(sent, Math.min(10_000, total - sent)))
}

async function drain() {
  await withUtils((utils) => addAll(utils, warmUp + count))
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  let read
  let ran = 0
  let allRan
  const all = new Promise((resolve) => (allRan = resolve))
  const noop = () => {
    ran += 1
    if (ran > warmUp) read ??= stopwatch()
    if (ran === warmUp + count) allRan()
  }
  const preset = what === 'drain-single' ? single : batching
  const runner = await run({ preset, taskList: { noop } })
  await all
  const left = async () =>
    (await pool.query('SELECT count(*)::int AS n FROM graphile_worker._private_jobs')).rows[0].n
  while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  const sample = read(count)
  await runner.stop()
  return sample
}

async function add() {
  return withUtils(async (utils) => {
    const send = (value) => utils.addJob('noop', { value })
    await inFlight(1000, send)
    const read = stopwatch()
    await inFlight(count, send)
    return read(count)
  })
}

async function bulk() {
  return withUtils(async (utils) => {
    await utils.addJobs(specs(0, 1000))
    const read = stopwatch()
    await utils.addJobs(specs(0, count))
    return read(count)
  })
}

/** Both processes read the machine's monotonic clock. */
async function listen() {
  const latencies = []
  const started = ({ sentNs }) => {
    latencies.push(Number(process.hrtime.bigint() - BigInt(sentNs)) / 1e6)
  }
  const runner = await run({ preset: single, taskList: { started } })
  process.send('ready')
  process.on('message', async () => {
    process.send(latencies, () => process.exit(0))
    await runner.stop()
  })
}

async function latency() {
  return withUtils(async (utils) => {
    const child = fork(process.argv[1], ['listen', url, '0', String(concurrency)])
    await new Promise((resolve) => child.once('message', resolve))
    for (let sent = 0; sent < count; sent += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      await utils.addJob('started', { sentNs: String(process.hrtime.bigint()) })
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    child.send('stop')
    const latencies = await new Promise((resolve) => child.once('message', resolve))
    return {
      p50Ms: quantile(latencies, 0.5),
      p95Ms: quantile(latencies, 0.95),
      p99Ms: quantile(latencies, 0.99),
      tasks: latencies.length,
    }
  })
}

const programs = { drain, 'drain-single': drain, add, bulk, latency }
if (what === 'listen') await listen()
else finish(await programs[what]())
