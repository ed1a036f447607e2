/**
 * pg-boss doing what a scenario asks: `node pg-boss.mjs <what> <url> <count> <concurrency> [<warm-up>]`.
 *
 * `drain` takes batches of 500 that succeed or fail as one, `drain-results` keeps a result of each job,
 * `drain-single` takes one job at a time.
 */
import { PgBoss } from 'pg-boss'
import { finish, inFlight, stopwatch } from './measure.mjs'

const [, , what, url, countText, concurrencyText, warmUpText = '0'] = process.argv
const count = Number(countText)
const warmUp = Number(warmUpText)
const boss = new PgBoss({
  connectionString: url,
  max: 10,
  // Otherwise it works off a backlog one job at a time only every half second.
  monitorIntervalSeconds: 1,
  superviseIntervalSeconds: 1,
  queueCacheIntervalSeconds: 1,
})
boss.on('error', () => undefined)
await boss.start()
await boss.createQueue('noop')

const jobs = (from, size) => Array.from({ length: size }, (_, index) => ({ data: { value: from + index } }))

const modes = {
  drain: { batchSize: 500, burstWhenBatchFull: true },
  'drain-results': { batchSize: 500, burstWhenBatchFull: true, perJobResults: true },
  'drain-single': { localConcurrency: Number(concurrencyText), burstWhenReadyExceeds: 1 },
}

async function drain() {
  const total = warmUp + count
  for (let sent = 0; sent < total; sent += 10_000)
    await boss.insert('noop', jobs(sent, Math.min(10_000, total - sent)))
  let read
  let ran = 0
  let allRan
  const all = new Promise((resolve) => (allRan = resolve))
  await boss.work('noop', { pollingIntervalSeconds: 0.5, ...modes[what] }, async (batch) => {
    if (ran >= warmUp) read ??= stopwatch()
    ran += batch.length
    if (ran >= total) allRan()
    return what === 'drain-results'
      ? batch.map(({ id }) => ({ id, status: 'completed', output: { ok: true } }))
      : undefined
  })
  await all
  const text = "SELECT count(*)::int AS n FROM pgboss.job WHERE name = 'noop' AND state <> 'completed'"
  const left = async () => (await boss.getDb().executeSql(text)).rows[0].n
  while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  return read(count)
}

async function send() {
  const one = (value) => boss.send('noop', { value })
  await inFlight(1000, one)
  const read = stopwatch()
  await inFlight(count, one)
  return read(count)
}

async function bulk() {
  await boss.insert('noop', jobs(0, 1000))
  const read = stopwatch()
  await boss.insert('noop', jobs(0, count))
  return read(count)
}

const programs = { drain, 'drain-results': drain, 'drain-single': drain, send, bulk }
finish(await programs[what]())
