import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { BeatStage } from '../integration/beat/stage.js'

const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const ticks = isFull ? 1_000 : 100
const EVERY = 10

let stage: BeatStage

beforeEach(() => {
  stage = new BeatStage()
})

afterEach(async () => {
  await stage.close()
})

describe('several beats', () => {
  it(`send each of ${ticks} occurrences once, with clocks 5 s apart and the leader cut off again and again`, async () => {
    const entries = { tick: { task: 'shop.tick', schedule: EVERY, catchUp: 'all' } }
    const stations = [-5_000, 5_000, 0, -2_500, 2_500].map((skewMs) =>
      stage.station(entries, {}, skewMs).start(),
    )
    await stage.pass(1)
    let changes = 0
    for (let done = 0; done < ticks; done += 4) {
      const leader = stations.find(({ beat }) => beat.status.leads)
      await stage.pass(15)
      // Twice the lease of six seconds; the others take over meanwhile.
      if (leader !== undefined) leader.isCut = true
      await stage.pass(12)
      if (leader !== undefined) leader.isCut = false
      await stage.pass(13)
      if (leader !== stations.find(({ beat }) => beat.status.leads)) changes += 1
    }

    const dues = await stage.dues('tick')

    expect(dues).toEqual(Array.from({ length: dues.length }, (_, index) => (index + 1) * EVERY))
    expect(dues.length).toBeGreaterThanOrEqual(ticks - 1)
    expect(changes).toBeGreaterThan(ticks / 5)
  }, 120_000)

  it('have another lead within ten seconds of a leader that died without a word', async () => {
    const entries = { tick: { task: 'shop.tick', schedule: 1, catchUp: 'all' } }
    const stations = [0, 0, 0].map(() => stage.station(entries).start())
    await stage.pass(5)
    const leader = stations.find(({ beat }) => beat.status.leads)

    await leader?.kill()
    await stage.pass(10)

    expect(stations.filter((one) => one !== leader && one.beat.status.leads)).toHaveLength(1)
    const dues = await stage.dues('tick')
    expect(dues).toEqual(Array.from({ length: dues.length }, (_, index) => index + 1))
    expect(dues.length).toBeGreaterThanOrEqual(14)
  })

  it('have another lead at once when the leader stops', async () => {
    const stations = [0, 0].map(() => stage.station({ tick: { task: 'shop.tick', schedule: 1 } }).start())
    await stage.pass(3)

    await stations.find(({ beat }) => beat.status.leads)?.beat.stop()
    await stage.pass(2)

    expect(stations.filter(({ beat }) => beat.status.leads)).toHaveLength(1)
  })

  it('go on after minutes without a store, as the catch-up says', async () => {
    const station = stage
      .station({
        last: { task: 'shop.tick', schedule: 60 },
        all: { task: 'shop.tick', schedule: 60, catchUp: 'all' },
      })
      .start()
    await stage.pass(65)
    station.isCut = true
    await stage.pass(300, 5)

    station.isCut = false
    await stage.pass(60, 5)

    const sent = await stage.sent()
    const of = (name: string): number[] => sent.filter(({ entry }) => entry === name).map(({ due }) => due)
    expect(of('all')).toEqual([60, 120, 180, 240, 300, 360, 420])
    expect(of('last')).toEqual([60, 360, 420])
    expect(station.beat.status.missed).toBeGreaterThan(0)
  })
})
