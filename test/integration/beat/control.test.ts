import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../../src/index.js'
import { BeatStage, START_MS } from './stage.js'

let stage: BeatStage

beforeEach(() => {
  stage = new BeatStage()
})

afterEach(async () => {
  await stage.close()
})

const tick = { task: 'shop.tick', schedule: 10 }

describe('app.beat', () => {
  it('adds, changes, pauses, resumes and removes entries that a running beat sends', async () => {
    const { app } = stage.station({}).start()
    await stage.pass(1)

    await app.beat.upsert('extra', tick)
    await stage.pass(25)
    await app.beat.pause('extra')
    await stage.pass(20)
    const [paused] = await app.beat.list()
    await app.beat.resume('extra')
    await stage.pass(12)
    const removed = await app.beat.remove('extra')
    await stage.pass(20)

    expect(await stage.dues('extra')).toEqual([11, 21, 56])
    expect(paused).toMatchObject({ name: 'extra', origin: 'runtime', paused: true, next: undefined })
    expect([removed, await app.beat.remove('extra')]).toEqual([true, false])
  })

  it('keeps what was added at run time when a beat starts, and leaves declared entries to the code', async () => {
    const first = stage.station({ tick }).start()
    await stage.pass(1)
    await first.app.beat.upsert('extra', tick)
    await first.beat.stop()

    const { app } = stage.station({ tick }).start()
    await stage.pass(3)

    expect((await app.beat.list()).map(({ name, origin }) => [name, origin])).toEqual([
      ['tick', 'declared'],
      ['extra', 'runtime'],
    ])
    await expect(app.beat.remove('tick')).rejects.toThrow(ConfigError)
    await expect(app.beat.upsert('tick', tick)).rejects.toThrow(/pause it/)
    expect((await app.beat.list())[0]?.next).toEqual(new Date(START_MS + 10_000))
  })

  it('leaves a paused entry paused when it is saved again', async () => {
    const { app } = stage.station({}).start()
    await app.beat.upsert('extra', tick)
    await app.beat.pause('extra')

    await app.beat.upsert('extra', { ...tick, schedule: 5, args: [2] })

    expect(await app.beat.list()).toMatchObject([{ name: 'extra', paused: true, next: undefined }])
    await stage.pass(20)
    expect(await stage.dues('extra')).toEqual([])
  })

  it('loses no change of two that are made at once', async () => {
    const { app } = stage.station({}).start()
    await app.beat.upsert('extra', tick)

    await Promise.all([
      app.beat.pause('extra'),
      app.beat.upsert('extra', { ...tick, args: [1] }),
      app.beat.upsert('extra', { ...tick, args: [2] }),
    ])

    expect(await app.beat.list()).toMatchObject([{ name: 'extra', paused: true }])
  })

  it('runs an entry now, and refuses what no store can keep or nobody knows', async () => {
    const { app } = stage.station({ tick: { ...tick, args: [1] } }).start()
    await stage.pass(1)

    const { id } = await app.beat.runNow('tick')

    expect((await stage.sent()).map((sent) => [sent.entry, sent.id])).toEqual([['tick', id]])
    await expect(app.beat.runNow('none')).rejects.toThrow(/no periodic task "none"/)
    await expect(
      app.beat.upsert('own', { task: 'shop.tick', schedule: { next: () => undefined } }),
    ).rejects.toThrow(/no store can keep/)
    expect(await app.beat.pause('none')).toBe(false)
  })
})
