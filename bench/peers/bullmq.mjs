/** BullMQ doing what a scenario asks: `node bullmq.mjs <what> <url> <count> <concurrency> [<warm-up>]`; prints a sample as JSON. */
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'

const [, , what, url, countText, concurrencyText, warmUpText = '0'] = process.argv
const count = Number(countText)
const concurrency = Number(concurrencyText)
const warmUp = Number(warmUpText)
const { hostname, port } = new URL(url)
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null }
const admin = new Redis(connection)
const jobs = { removeOnComplete: what !== 'drain-results', removeOnFail: true }
const queue = new Queue('bench', { connection, defaultJobOptions: jobs })

const pieces = (from, size) =>
  Array.from({ length: size }, (_, index) => ({ name: 'noop', data: { value: from + index } }))

async function bulk(total) {
  for (let sent = 0; sent < total; sent += 1000) await queue.addBulk(pieces(sent, 1000))
}

async function single(total) {
  let sent = 0
  const sendOn = async () => {
    while (sent < total) {
      sent += 1
      await queue.add('noop', { value: sent })
    }
  }
  await Promise.all(Array.from({ length: 100 }, sendOn))
}

/** Processor time of the server so far, in microseconds. */
async function serverUs() {
  const text = await admin.info('cpu')
  const read = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(text)?.[1] ?? 0)
  return (read('used_cpu_user') + read('used_cpu_sys')) * 1e6
}

function stopwatch() {
  const began = performance.now()
  const cpu = process.cpuUsage()
  const server = serverUs()
  return async (total) => {
    const ms = performance.now() - began
    const { user, system } = process.cpuUsage(cpu)
    const usedUs = (await serverUs()) - (await server)
    return { perSecond: (total / ms) * 1000, cpuUs: (user + system) / total, serverUs: usedUs / total }
  }
}

async function drain() {
  await bulk(warmUp + count)
  let read
  let ran = 0
  const { measured, worker } = await new Promise((resolve) => {
    const worker = new Worker(
      'bench',
      async () => {
        ran += 1
        if (ran > warmUp) read ??= stopwatch()
        return ran
      },
      { connection, concurrency },
    )
    let done = 0
    worker.on('completed', () => {
      done += 1
      if (done === warmUp + count) read(count).then((measured) => resolve({ measured, worker }))
    })
  })
  await worker.close()
  return measured
}

async function enqueue(send) {
  await send(5000)
  const read = stopwatch()
  await send(count)
  return read(count)
}

async function due() {
  const atMs = Date.now() + 8000
  for (let sent = 0; sent < count; sent += 1000) {
    await queue.addBulk(
      pieces(sent, 1000).map((one) => ({ ...one, opts: { ...jobs, delay: atMs - Date.now() } })),
    )
  }
  let ran = 0
  return new Promise((resolve) => {
    const worker = new Worker(
      'bench',
      async () => {
        ran += 1
        if (ran === count) worker.close(true).then(() => resolve({ lastMs: Date.now() - atMs }))
      },
      { connection, concurrency },
    )
  })
}

/** Both processes read the machine's monotonic clock. */
async function listen() {
  const worker = new Worker(
    'bench',
    async ({ data }) => Number(process.hrtime.bigint() - BigInt(data.sentNs)) / 1e6,
    { connection, concurrency },
  )
  await worker.waitUntilReady()
  process.send('ready')
  process.on('message', () => worker.close().then(() => process.exit(0)))
}

async function latency() {
  const { fork } = await import('node:child_process')
  const { QueueEvents } = await import('bullmq')
  const child = fork(process.argv[1], ['listen', url, '0', String(concurrency)])
  await new Promise((resolve) => child.once('message', resolve))
  const events = new QueueEvents('bench', { connection })
  await events.waitUntilReady()
  const starts = []
  const ends = []
  for (let sent = 0; sent < warmUp + count; sent += 1) {
    if (sent >= warmUp) await new Promise((resolve) => setTimeout(resolve, 10))
    const sentNs = process.hrtime.bigint()
    const job = await queue.add('noop', { sentNs: String(sentNs) }, { removeOnComplete: false })
    const startMs = Number(await job.waitUntilFinished(events))
    if (sent < warmUp) continue
    starts.push(startMs)
    ends.push(Number(process.hrtime.bigint() - sentNs) / 1e6)
  }
  child.send('stop')
  await events.close()
  const at = (list, share) => list.sort((a, b) => a - b)[Math.floor(list.length * share)]
  return { startP50Ms: at(starts, 0.5), startP99Ms: at(starts, 0.99), resultP50Ms: at(ends, 0.5) }
}

const programs = {
  drain,
  'drain-results': drain,
  add: () => enqueue(single),
  bulk: () => enqueue(bulk),
  due,
  latency,
}
if (what === 'listen') await listen()
else {
  const sample = await programs[what]()
  process.stdout.write(JSON.stringify(sample))
  await queue.close()
  process.exit(0)
}
