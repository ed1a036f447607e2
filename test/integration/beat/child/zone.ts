/** Prints what eight o'clock is to beat and to an eta, on this process's clock: `node zone.js <day> <moment before>`. */
import { nextOfEntry } from '../../../../src/beat/entry.js'
import { crontab, Lovage } from '../../../../src/index.js'
import { readEmbed } from '../../../../src/message/embed.js'
import { readTask } from '../../../../src/message/read-task.js'
import { internalsOf } from '../../../../src/util/internals.js'

const [, , day = '', before = ''] = process.argv

function beatsNext(settings: Readonly<Record<string, unknown>>): string {
  const app = new Lovage('shop', { broker: 'memory://', backend: false })
  app.conf.update(settings)
  const entry = internalsOf(app).periodic.add('report', {
    task: 'shop.report',
    schedule: crontab({ minute: 0, hour: 8 }),
  })
  return iso(nextOfEntry(entry, Date.parse(before), internalsOf(app).config().timezone) ?? 0)
}

/** What Celery sends with `enable_utc` off: a time without a zone. */
function naiveEta(): string {
  return readEta(`${day}T08:00:00`, true)
}

/** What Lovage writes for a `Date` that a caller made in the zone of the machine, as a worker reads it. */
async function dateEta(): Promise<string> {
  const app = new Lovage('shop', { broker: 'memory://', backend: false })
  const sent: unknown[] = []
  internalsOf(app).around.publish.push(
    async ({ outgoing }) => void sent.push(outgoing.message.headers['eta']),
  )
  await app.sendTask('shop.report', { eta: new Date(`${day}T08:00:00`) })
  await app.close()
  return readEta(sent[0], false)
}

/** An `eta` header as a worker reads it. */
function readEta(eta: unknown, isNaiveLocal: boolean): string {
  const headers = { id: 'a', task: 'shop.report', eta }
  const body = new Uint8Array()
  const message = { body, contentType: 'application/json', contentEncoding: 'utf-8', headers, properties: {} }
  const source = { headers, args: [], kwargs: {}, embed: readEmbed({}), isNaiveLocal, message }
  return iso(readTask(source).etaMs ?? 0)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

const seen = {
  utc: beatsNext({}),
  local: beatsNext({ enableUtc: false }),
  oldName: beatsNext({ CELERY_ENABLE_UTC: false }),
  named: beatsNext({ enableUtc: false, timezone: 'Asia/Kolkata' }),
  naiveEta: naiveEta(),
  dateEta: await dateEta(),
}
process.stdout.write(JSON.stringify(seen))
