import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { DateTime } from 'luxon'
import { readStored } from '../../../src/beat/stored-entries.js'
import { crontab } from '../../../src/index.js'
import { BeatStage, START_MS } from './stage.js'

let stage: BeatStage

beforeEach(() => {
  stage = new BeatStage()
})

afterEach(async () => {
  await stage.close()
})

const tick = { task: 'shop.tick', schedule: 30 }
const numbers = (count: number, step: number): number[] =>
  Array.from({ length: count }, (_, i) => (i + 1) * step)

describe('a beat', () => {
  it('sends an interval of 30 seconds at 30, 60 and 90 seconds, with nobody there to work', async () => {
    stage.station({ tick }).start()

    await stage.pass(100)

    expect(await stage.dues('tick')).toEqual([30, 60, 90])
  })

  it('does not drift in 1,000 seconds', async () => {
    stage.station({ second: { task: 'shop.tick', schedule: 1 } }).start()

    await stage.pass(1000.5, 0.5)

    expect(await stage.dues('second')).toEqual(numbers(1000, 1))
  }, 60_000)

  it('sends a crontab in the zone of the app, or of its own', async () => {
    stage
      .station(
        {
          app: { task: 'shop.tick', schedule: crontab({ minute: 1, hour: 9 }) },
          own: { task: 'shop.tick', schedule: crontab({ minute: 2, hour: 0 }), timezone: 'UTC' },
          later: { task: 'shop.tick', schedule: crontab({ minute: 1, hour: 0 }) },
        },
        { timezone: 'Asia/Tokyo' },
      )
      .start()

    await stage.pass(125)

    expect((await stage.sent()).map(({ entry, due }) => [entry, due])).toEqual([
      ['app', 60],
      ['own', 120],
    ])
  })

  it('sends name, due time, arguments and options, under an id that follows from entry and instant', async () => {
    const options = { queue: 'slow', expires: 60, priority: 3 }
    stage.station({ tick: { ...tick, options } }).start()
    const twin = new BeatStage()
    twin.station({ tick: { ...tick, options } }).start()

    await stage.pass(31)
    await twin.pass(31)
    const [first] = await stage.sent('slow')
    const [second] = await twin.sent('slow')
    await twin.close()

    expect(first).toMatchObject({ entry: 'tick', due: 30 })
    expect(first?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(second?.id).toBe(first?.id)
    expect(first?.app).toMatchObject({ task: 'shop.tick', expires: '2026-01-01T00:01:30.000000+00:00' })
  })

  it('sends a BigInt, a date and what only its own program can write, and takes null for not given', async () => {
    const nulls = { args: null, kwargs: null, options: null, timezone: null, catchUp: null, relative: null }
    const options = { priority: null, countdown: null, eta: null, link: null, headers: { big: 2n ** 64n } }
    stage
      .station({
        big: { ...tick, args: [2n ** 64n], options },
        date: { ...tick, kwargs: { at: new Date(START_MS) } },
        map: { ...tick, args: [new Map()] },
        nulls: { ...tick, ...(nulls as object) },
      })
      .start()

    await stage.pass(35)

    expect((await stage.sent()).map(({ entry }) => entry).sort()).toEqual(['big', 'date', 'nulls'])
  })

  it('gives another program of its store the same arguments', async () => {
    const args = [2n ** 64n, new Date(START_MS), 'text']
    stage.station({ big: { ...tick, args, options: { expires: new Date(START_MS + 1e6) } } }).start()
    await stage.pass(3)
    const { schedules } = stage.openStore()
    const stored = (await schedules?.loadEntries())?.get('big')

    expect(readStored('big', stored ?? { data: {}, version: '' }).entry).toMatchObject({
      args,
      options: { expires: new Date(START_MS + 1e6) },
    })
  })

  it('is not stopped by an entry that no store can take', async () => {
    const odd = {
      toJSON: () => {
        throw new Error('odd')
      },
    }
    const station = stage.station({ odd: { ...tick, args: [odd] }, tick }).start()

    await stage.pass(35)

    expect((await stage.sent()).map(({ entry }) => entry)).toEqual(['tick'])
    expect(station.log.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'beat: cannot send odd (shop.tick)',
    ])
  })

  it('sends no more of a one-off, and runs a schedule of the program itself', async () => {
    const everyOther = {
      next: (after: DateTime) => after.plus({ seconds: after.second % 20 === 0 ? 10 : 20 }).startOf('second'),
    }
    stage
      .station({
        once: { task: 'shop.tick', schedule: new Date(START_MS + 5000) },
        own: { task: 'shop.tick', schedule: everyOther },
      })
      .start()

    await stage.pass(65)

    const sent = await stage.sent()
    expect(sent.filter(({ entry }) => entry === 'once').map(({ due }) => due)).toEqual([5])
    expect(sent.filter(({ entry }) => entry === 'own').map(({ due }) => due)).toEqual([10, 30, 50])
  })

  it('goes on where it stopped, and sends nothing twice', async () => {
    const first = stage.station({ tick }).start()
    await stage.pass(45)
    await first.beat.stop()

    stage.station({ tick }).start()
    await stage.pass(50)

    expect(await stage.dues('tick')).toEqual([30, 60, 90])
  })

  it.each([
    ['last', [60, 360, 420], 4],
    ['skip', [60, 420], 5],
    ['all', [60, 120, 180, 240, 300, 360, 420], 0],
    [{ policy: 'all', window: 200 }, [60, 240, 300, 360, 420], 2],
  ])('catches up as the entry says: %j', async (catchUp, expected, missed) => {
    const entries = { tick: { task: 'shop.tick', schedule: 60, catchUp } }
    const first = stage.station(entries).start()
    await stage.pass(65)
    await first.beat.stop()
    await stage.clock.advance(335)

    const { beat } = stage.station(entries).start()
    await stage.pass(30)

    expect(await stage.dues('tick')).toEqual(expected)
    expect(beat.status.missed).toBe(missed)
  })

  it('sends no crontab that is later than beatCronStartingDeadline', async () => {
    const entries = { daily: { task: 'shop.tick', schedule: crontab({ minute: 0, hour: 1 }) } }
    const settings = { beatCronStartingDeadline: 60 }
    const first = stage.station(entries, settings).start()
    await stage.pass(5)
    await first.beat.stop()
    await stage.clock.advance({ hours: 2 })

    const { beat } = stage.station(entries, settings).start()
    await stage.pass(5)

    expect(await stage.dues('daily')).toEqual([])
    expect(beat.status.missed).toBe(1)
  })

  it('makes the declared entries those of the program that started last', async () => {
    const gone = { task: 'shop.gone', schedule: 10 }
    const first = stage.station({ tick, gone }).start()
    await stage.pass(12)
    await first.beat.stop()

    stage.station({ tick: { ...tick, schedule: 20 } }).start()
    await stage.pass(60)

    const sent = await stage.sent()
    expect(sent.filter(({ entry }) => entry === 'gone').map(({ due }) => due)).toEqual([10])
    // Its schedule changed at 12 seconds: it begins anew.
    expect(sent.filter(({ entry }) => entry === 'tick').map(({ due }) => due)).toEqual([32, 52, 72])
  })

  it('tells of its last look, and of what it sent', async () => {
    const { beat } = stage.station({ tick }).start()
    await stage.pass(31)

    expect(beat.status).toMatchObject({
      leads: true,
      entries: 1,
      sent: 1,
      missed: 0,
      nextMs: START_MS + 60_000,
    })
    expect(beat.status.lastTickAgeMs).toBeLessThanOrEqual(2000)
  })
})

describe('a clock that jumps', () => {
  it('goes back: nothing is sent twice, and what was not sent is', async () => {
    stage.station({ tick: { task: 'shop.tick', schedule: 10 } }).start()
    await stage.pass(35)

    stage.storeSkewMs = -20_000
    await stage.pass(40)

    expect(await stage.dues('tick')).toEqual([10, 20, 30, 40, 50])
  })

  it('goes forth and back again: the instants between are sent in their time', async () => {
    stage.station({ tick: { task: 'shop.tick', schedule: 10 } }).start()
    await stage.pass(15)

    stage.storeSkewMs = 100_000
    await stage.pass(3)
    stage.storeSkewMs = 0
    await stage.pass(30)

    expect([...(await stage.dues('tick'))].sort((a, b) => a - b)).toEqual([10, 20, 30, 40, 110])
  })
})
