import { describe, expect, it } from '@jest/globals'
import { ClaimBoard, type BoardView, type RunningBody } from '../../../src/worker/lease/claim-board.js'
import { LoopGuard } from '../../../src/worker/lease/loop-guard.js'
import { Renewals } from '../../../src/broker/lease-keeper.js'

describe('ClaimBoard', () => {
  it('shows another thread what runs, and which body has not yielded', () => {
    const board = new ClaimBoard(4)
    const other = new ClaimBoard(board.memory)
    const slot = board.add('tag-ü', { task: 'shop.addé', id: '1' }, 2_000)
    board.add('b', { task: 'shop.add', id: '2' })

    expect(other.view().running).toEqual([])
    expect(board.start(slot)).toBe(true)
    const { current, running } = board.current(slot, () => other.view())

    expect(current).toEqual({ name: 'shop.addé[1]', hardLimitMs: 2_000, startedMs: expect.any(Number) })
    expect(running).toEqual([current])
    expect(other.view()).toMatchObject({ running: [current], current: undefined })
    expect(other.takeBack()).toEqual({ waiting: ['b'], kept: ['tag-ü'] })

    board.end(slot)
    expect(other.view()).toMatchObject({ running: [], current: undefined })
  })

  it('names the bodies of more tasks, and of longer names, than it has room for', () => {
    const board = new ClaimBoard(200)
    const other = new ClaimBoard(board.memory)
    const tasks = [...Array.from({ length: 140 }, (_, index) => `task-${index}`), 'é'.repeat(200)]

    for (const [index, task] of tasks.entries()) board.start(board.add(`tag-${index}`, { task, id: 'ü' }))

    expect(other.view().running.map(({ name }) => name)).toEqual(tasks.map((task) => `${task}[ü]`))
  })

  it('lets nothing start that was taken back, until that is noticed', () => {
    const board = new ClaimBoard(4)
    const other = new ClaimBoard(board.memory)
    const [a, b, c] = ['a', 'b', 'c'].map((tag) => board.add(tag, { task: 't', id: tag }))
    board.start(a)
    board.end(a)
    board.start(b)

    expect(other.takeBack()).toEqual({ waiting: ['c'], kept: ['a', 'b'] })
    expect(board.isTakenBack).toBe(true)
    expect(board.start(c)).toBe(false)

    board.noticed()
    expect(board.isTakenBack).toBe(false)
    expect(board.start(c)).toBe(true)
  })

  it('takes nothing back while a claim has no place on it', () => {
    const board = new ClaimBoard(1)
    const other = new ClaimBoard(board.memory)
    const request = { task: 't', id: '1' }
    const first = board.add('a', request)
    const second = board.add('b', request)

    expect([second, board.start(second), other.takeBack()]).toEqual([-1, true, undefined])

    board.remove({ slot: second })
    board.remove({ slot: first })
    expect(board.add('x'.repeat(2_000), request)).toBe(-1)
    expect(board.add('c', request)).toBe(0)
  })
})

describe('LoopGuard', () => {
  function guarded(limitMs = 60_000): {
    readonly done: string[]
    /** Look when the loop has stood still for so long. */
    readonly at: (blockedMs: number, running: readonly RunningBody[], current?: RunningBody) => string[]
  } {
    const done: string[] = []
    let now = 0
    let view: BoardView = { beatMs: 0, running: [], current: undefined }
    const guard = new LoopGuard({
      view: () => view,
      nowMs: () => now,
      limitMs,
      takeBack: () => done.push('take back'),
      end: (reason) => done.push(reason),
    })
    return {
      done,
      at: (blockedMs, running, current) => {
        now = blockedMs
        view = { beatMs: 0, running, current }
        guard.look()
        return done.splice(0)
      },
    }
  }

  const free = { name: 'free[1]', startedMs: 0, hardLimitMs: undefined }
  const limited = { name: 'limited[2]', startedMs: 0, hardLimitMs: 2_000 }

  it('gives back once what waits, when the loop stands still for two seconds', () => {
    const { at } = guarded()

    expect([at(1_900, [free]), at(2_000, [free]), at(4_000, [free])]).toEqual([[], ['take back'], []])
    expect([at(0, [free]), at(2_500, [free])]).toEqual([[], ['take back']])
  })

  it('minds no loop in which nothing runs', () => {
    expect(guarded().at(90_000, [])).toEqual([])
  })

  it('ends a process that is blocked five seconds past the limit of what blocks it', () => {
    const { at } = guarded()

    expect(at(6_900, [limited])).toEqual(['take back'])
    expect(at(7_000, [limited])).toEqual([
      'the event loop was blocked for 7.0 s, past the time limit, by: limited[2]',
    ])
  })

  it('blames the body that has not yielded, or else all that run', () => {
    const { at } = guarded()

    expect(at(7_000, [limited, free])).toEqual(['take back'])
    expect(at(7_500, [limited, free], free)).toEqual([])
    expect(at(8_000, [limited, free], limited)).toEqual([expect.stringMatching(/by: limited\[2\]$/)])
  })

  it('ends a process that is blocked for longer than any may be', () => {
    const { at } = guarded()

    expect(at(59_000, [free])).toEqual(['take back'])
    expect(at(60_000, [free])).toEqual([
      'the event loop was blocked for 60.0 s, for as long as blockedLoopLimit allows, by: free[1]',
    ])
  })
})

describe('claims that were taken back', () => {
  it('are named by what stays, or are not renewed any more', async () => {
    const asked: unknown[] = []
    const claims = { waiting: ['b'], kept: ['a'] }
    const renewals = new Renewals()
    renewals.hold('h')
    const held = { held: true, lostTags: [] }

    await renewals.takeBack(
      {
        renews: 'holder',
        renew: async () => held,
        reconcile: async (holder, tags) => {
          asked.push([holder, tags])
          return held
        },
      },
      1_000,
      claims,
    )
    renewals.change('h', { added: ['a', 'b'], removed: [] })
    const named = {
      renews: 'tags' as const,
      renew: async (holder: string, tags: readonly string[]) => {
        asked.push([holder, tags])
        return held
      },
    }
    await renewals.takeBack(named, 1_000, claims)
    await renewals.round(named, 1_000, { lost: () => undefined })

    expect(asked).toEqual([
      ['h', ['a']],
      ['h', ['a']],
    ])
  })
})
