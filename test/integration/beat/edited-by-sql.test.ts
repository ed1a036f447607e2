import { describe, expect, it } from '@jest/globals'
import Database from 'libsql'
import { eventually } from '../../conformance/time.js'
import { Beat } from '../../../src/beat/index.js'
import { Lovage } from '../../../src/index.js'
import { silentLogger, type TaskLogger } from '../../../src/task/logger.js'
import { takeSent } from '../../fault/fixture/sent-occurrences.js'
import { tempFolder } from '../../support/temp.js'

const ENTRY = { task: 'shop.tick', schedule: { type: 'interval', seconds: 0.5 } }
const LIMIT_MS = 20_000

/** Wait for a beat to have sent more than it had. */
async function more(beat: Beat, count = beat.status.sent): Promise<void> {
  await eventually(() => beat.status.sent > count, LIMIT_MS)
}

/** Wait for a line that says this. */
async function said(lines: readonly string[], text: string): Promise<void> {
  await eventually(() => lines.some((line) => line.includes(text)), LIMIT_MS)
}

async function entries(beat: Beat, count: number): Promise<void> {
  await eventually(() => beat.status.entries === count, LIMIT_MS)
}

describe('entries that are edited by SQL', () => {
  it('are followed by a running beat: inserted, changed, paused and deleted', async () => {
    await using folder = await tempFolder('beat')
    const file = folder.file('queue.sqlite')
    await using app = new Lovage('shop', { broker: `sqlite:///${file}`, backend: false })
    const lines: string[] = []
    const logger: TaskLogger = { ...silentLogger, info: (_fields, message) => lines.push(message) }
    await using beat = new Beat(app, { logger })
    const running = beat.run()
    await entries(beat, 0)
    await eventually(() => beat.status.leads, LIMIT_MS)
    const database = new Database(file)
    const edit = (sql: string, ...values: readonly string[]): void => {
      database.exec('BEGIN IMMEDIATE')
      database.prepare(sql).run(...values)
      database.exec('UPDATE lovage_beat SET revision = revision + 1')
      database.exec('COMMIT')
    }

    const insert = 'INSERT INTO lovage_beat_entry (name, data) VALUES (?, ?)'
    const monthly = { task: 'shop.monthly', schedule: { type: 'crontab', minute: 0, hour: 0, dayOfMonth: 1 } }
    edit(insert, 'monthly', JSON.stringify(monthly))
    edit(insert, 'broken', '{"task": ')
    edit(insert, 'tick', JSON.stringify(ENTRY))
    await more(beat)
    const listed = await app.beat.list()
    expect(listed.map(({ name, schedule }) => [name, schedule])).toEqual([
      ['broken', 'unreadable'],
      ['monthly', 'crontab(0 0 1 * *)'],
      ['tick', 'every 0.5 s'],
    ])
    for (const { next } of listed.slice(1)) expect(next?.getTime()).toBeGreaterThan(Date.now() - 60_000)
    const written = database.prepare('SELECT data FROM lovage_beat_entry WHERE name = ?').get('tick')
    expect(written).toMatchObject({ data: JSON.stringify(ENTRY) })
    const update = 'UPDATE lovage_beat_entry SET data = ? WHERE name = ?'
    edit(update, JSON.stringify({ ...ENTRY, task: 'shop.other' }), 'tick')
    await said(lines, 'shop.other')
    edit(update, JSON.stringify({ ...ENTRY, paused: true }), 'tick')
    await entries(beat, 1)
    edit(update, JSON.stringify(ENTRY), 'tick')
    await entries(beat, 2)
    edit('DELETE FROM lovage_beat_entry WHERE name = ?', 'tick')
    await entries(beat, 1)
    database.close()
    await beat.stop()
    await running

    const tasks = (await takeSent(app)).map(({ task }) => task)
    expect([...new Set(tasks)].sort()).toEqual(['shop.other', 'shop.tick'])
  }, 60_000)
})
