import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { BrokerModule } from '../../../src/broker/registry.js'
import { BeatStage, type Station } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

let stage: BeatStage

beforeEach(() => {
  stage = new BeatStage()
})

afterEach(async () => {
  await stage.close()
})

const tick = { task: 'shop.tick', schedule: 30 }

describe('what a beat shows', () => {
  it('is told to the metrics hook at each look: who leads, what was sent and what was missed', async () => {
    const first = stage.station({ tick }).start()
    await stage.pass(31)
    await first.beat.stop()
    await stage.clock.advance(300)

    const { reports } = stage.station({ tick }).start()
    await stage.pass(30)

    expect(first.reports.at(-1)).toMatchObject({ leads: true, entries: 1 })
    expect(first.reports.reduce((sum, { sent }) => sum + sent, 0)).toBe(1)
    expect(reports[0]).toEqual({ leads: true, sent: 1, missed: 9, entries: 1 })
    expect(reports.slice(1).reduce((sum, { missed }) => sum + missed, 0)).toBe(0)
  })

  it('has a log line for what was sent and for what was missed', async () => {
    const first = stage.station({ tick }).start()
    await stage.pass(31)
    await first.beat.stop()
    await stage.clock.advance(300)

    const { log } = stage.station({ tick }).start()
    await stage.pass(2)

    expect(log).toContainEqual({
      level: 'warn',
      message: 'beat: tick has missed instants (catch-up: last)',
      fields: { entry: 'tick', missed: 9, catchUp: 'last' },
    })
    expect(log.filter(({ message }) => message.startsWith('beat: Sending due task tick'))).toHaveLength(1)
  })

  it('tells every minute of a store that does not answer, with the age of the last look', async () => {
    const station = stage.station({ tick }).start()
    await stage.pass(10)
    station.isCut = true
    await stage.pass(185, 5)

    const errors = station.log.filter(({ level }) => level === 'error')

    expect(errors.length).toBeGreaterThanOrEqual(3)
    expect(errors.length).toBeLessThanOrEqual(5)
    expect(errors.at(-1)?.message).toMatch(/the network is cut; the last look was 1[0-9][0-9] s ago/)
    expect(errors.at(-1)?.fields).toMatchObject({ lastTickAgeMs: expect.any(Number) })
    expect(station.beat.status.lastTickAgeMs).toBeGreaterThan(180_000)
  })
})

describe('what fails in a beat', () => {
  it('is a schedule of the program: the other entries are sent, and the log names it', async () => {
    const broken = {
      next: () => {
        throw new RangeError('no such day')
      },
    }
    const stuck = { next: () => new Date(0) }
    const { log } = stage
      .station({ tick, broken: { ...tick, schedule: broken }, stuck: { ...tick, schedule: stuck } })
      .start()
    await stage.pass(65)

    expect(await stage.dues('tick')).toEqual([30, 60])
    const errors = log.filter(({ level }) => level === 'error').map(({ message }) => message)
    expect(errors).toContainEqual(expect.stringMatching(/the schedule of broken fails/))
    expect(errors).toContainEqual(expect.stringMatching(/the schedule of stuck fails/))
  })

  it('is the metrics hook: beat goes on', async () => {
    const { log, reports } = stage.station({ tick }).start()
    reports.push = () => {
      throw new TypeError('no such counter')
    }
    await stage.pass(31)

    expect(await stage.dues('tick')).toEqual([30])
    expect(log).toContainEqual(expect.objectContaining({ level: 'error', message: 'beat: onTick failed' }))
  })
})

describe('beatMaxLoopInterval', () => {
  it('is the longest time between two looks', async () => {
    const { reports } = stage.station({ tick }, { beatMaxLoopInterval: 0.5 }).start()
    await stage.pass(10, 0.25)

    expect(reports.length).toBeGreaterThanOrEqual(20)
    expect(reports.length).toBeLessThanOrEqual(22)
  })

  it('is 2 seconds at most, which a warning says of a longer one', async () => {
    const { reports, log } = stage.station({ tick }, { beatMaxLoopInterval: 300 }).start()
    await stage.pass(20)

    expect(reports.length).toBeGreaterThanOrEqual(10)
    const warnings = log.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(warnings).toEqual([expect.stringMatching(/every 2 s, whatever beatMaxLoopInterval says/)])
  })
})

describe('a store that lost what it had', () => {
  it('is given the declared entries again by a beat that goes on', async () => {
    const station = stage.station({ tick: { ...tick, schedule: 10 } }).start()
    await stage.pass(15)
    station.isCut = true
    await stage.pass(4)
    stage.loseStore()
    station.isCut = false
    await stage.pass(25)

    const dues = await stage.dues('tick')

    expect(dues.length).toBeGreaterThanOrEqual(2)
    expect(station.beat.status.entries).toBe(1)
  })
})

describe('schedules in another store than the messages', () => {
  it('are sent again after a crash between message and record, under the same id of the task', async () => {
    const elsewhere = new BeatStage()
    const load = async (): Promise<BrokerModule> => ({ createBroker: () => elsewhere.openStore() })
    const station = (): Station => {
      const made = stage.station({ tick }, { broker: 'elsewhere://', beatStore: 'stage://' })
      made.app.brokers.register({ schemes: ['elsewhere'], load })
      return made
    }
    const first = station().start()
    // The message is out, and the record is not: the network ends in between.
    internalsOf(first.app).around.publish.push(async (call, send) => {
      first.isCut = true
      await send(call)
    })
    await stage.pass(31)
    await first.kill()

    station().start()
    await stage.pass(10)

    const sent = await elsewhere.sent()
    expect(sent.map(({ entry, due }) => [entry, due])).toEqual([
      ['tick', 30],
      ['tick', 30],
    ])
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    await elsewhere.close()
  })
})
