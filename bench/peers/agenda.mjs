/** Agenda doing what a scenario asks: `node agenda.mjs drain <url> <count> <concurrency>`; prints a sample as JSON. */
import { MongoBackend } from '@agendajs/mongo-backend'
import { Agenda } from 'agenda'

const [, , what, url, countText, concurrencyText] = process.argv
const count = Number(countText)
const concurrency = Number(concurrencyText)

async function drain() {
  const agenda = new Agenda({
    backend: new MongoBackend({ address: url }),
    processEvery: 100,
    maxConcurrency: concurrency,
    defaultConcurrency: concurrency,
    removeOnComplete: true,
  })
  await agenda.ready
  let ran = 0
  let began
  let cpu
  let finish
  const finished = new Promise((resolve) => {
    finish = resolve
  })
  agenda.define('noop', async () => {
    began ??= performance.now()
    cpu ??= process.cpuUsage()
    ran += 1
  })
  const sendOn = async (from) => {
    for (let sent = from; sent < count; sent += 100) await agenda.now('noop', { value: sent })
  }
  await Promise.all(Array.from({ length: 100 }, (_, from) => sendOn(from)))
  let done = 0
  agenda.on('complete:noop', () => {
    done += 1
    if (done === count) finish()
  })
  await agenda.start()
  await finished
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  await agenda.stop()
  return { perSecond: (ran / ms) * 1000, cpuUs: (user + system) / ran }
}

const programs = { drain }
const sample = await programs[what]()
process.stdout.write(JSON.stringify(sample))
process.exit(0)
