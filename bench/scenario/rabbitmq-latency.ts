import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Lovage } from '../../src/index.js'
import { answer, exitOf, isSample } from '../harness/child.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { quantile } from '../harness/statistics.js'
import { rabbitStore, withRabbitmq } from '../program/rabbitmq-place.js'
import { rawSender } from '../program/rabbitmq-raw.js'

const COUNT = 300
/** Sends before those that count. */
const WARM_UP = 50
const GAP_MS = 10
const listener = fileURLToPath(new URL('../program/rabbitmq-listener.js', import.meta.url))

interface Sender {
  readonly send: (sentNs: string) => Promise<unknown>
  readonly close: () => Promise<void>
}

function appSender(url: string): Promise<Sender> {
  const app = new Lovage('bench', { ...rabbitStore(url), taskIgnoreResult: true })
  const started = app.task('bench.started', (_sentNs: string): void => undefined)
  return Promise.resolve({ send: (sentNs) => started.delay(sentNs), close: () => app.close() })
}

function measure(kind: 'raw' | 'worker', open: (url: string) => Promise<Sender>): Promise<Sample> {
  return withRabbitmq(async ({ url }) => {
    const child = fork(listener, [kind, url])
    await answer(child, (message) => message === 'ready')
    const sender = await open(url)
    for (let sent = 0; sent < WARM_UP + COUNT; sent += 1) {
      await sleep(GAP_MS)
      await sender.send(String(process.hrtime.bigint()))
    }
    await sleep(500)
    const exited = exitOf(child)
    const answered = answer(child, isSample)
    child.send('stop')
    const latenciesMs = Object.values(await answered).slice(WARM_UP)
    await exited
    await sender.close()
    return {
      p50Ms: quantile(latenciesMs, 0.5),
      p95Ms: quantile(latenciesMs, 0.95),
      p99Ms: quantile(latenciesMs, 0.99),
      tasks: latenciesMs.length,
    }
  })
}

/** From the send in one process to the start of the body in another, beside raw publish and consume. */
export const rabbitmqLatency: Scenario = {
  name: 'rabbitmq-latency',
  about: `From the call of delay to the start of the body in another process, RabbitMQ, ${COUNT} tasks ${GAP_MS} ms apart.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => measure('raw', rawSender) },
    { name: 'worker', run: () => measure('worker', appSender) },
  ],
  goals: [
    {
      name: 'worker: p95, of raw',
      atMost: 1.5,
      value: (sample) => field(sample('worker'), 'p95Ms') / field(sample('raw'), 'p95Ms'),
    },
  ],
}
