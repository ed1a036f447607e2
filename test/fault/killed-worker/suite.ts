import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { listDeadLetters } from '../../../src/control/dead-letters.js'
import { FaultBench } from '../fixture/fault-bench.js'
import { killStores, kombuStore, type FaultStore } from '../fixture/fault-store.js'
import type { Death } from '../fixture/tasks.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

// More rounds than a push needs: `LOVAGE_TEST_FULL=true`.
const rounds = process.env['LOVAGE_TEST_FULL'] === 'true' ? 20 : 1

/** Steps between claim and acknowledgement, and how often a task runs when its worker is killed there. */
const inOneStore = [
  ['worker.claimed', 1],
  ['worker.before-start', 1],
  ['worker.started', 2],
  ['worker.ended', 2],
] as const

/** Where broker and results are one store. */
const inOneStep = [
  ['worker.before-settle', 2],
  ['worker.settled', 1],
] as const

const inTwoStores = [
  ['worker.before-publish', 2],
  ['worker.before-store', 2],
  ['worker.before-ack', 2],
] as const

/** Kills workers at each step on the store of this name, if it is there; each has a file, which runs beside the others. */
export function describeKilledWorkers(name: string): void {
  const store = [...killStores(), kombuStore].find((one) => one.name === name)
  describe(`a worker on ${name} that is killed`, () => {
    if (store === undefined) {
      it.skip(`is tested where ${name} is`, () => undefined)
      return
    }
    killAtEachStep(store)
    killInTrouble(store)
    killBesideOthers(store)
    leavesErrors(store)
    neverYields(store)
    // The keeper is the same on every store.
    if (store.name === 'SQLite') blocksForTooLong(store)
    // Once where claims are leases, and once where they last as long as the connection.
    if (store.name === 'SQLite' || store.name === 'RabbitMQ') countsAsKiller(store)
  })
}

/** A worker is killed at a failpoint, and another takes its place. */
async function relieve(bench: FaultBench, failpoint: string): Promise<void> {
  const victim = await bench.worker({ failpoint: `${failpoint}=kill` }).catch(() => undefined)
  await victim?.exited
  await bench.worker()
}

function killAtEachStep(store: FaultStore): void {
  for (let round = 1; round <= rounds; round += 1) {
    const steps = store.settles ? [...inOneStore, ...inOneStep] : inOneStore
    it.each(steps)(`at %s loses nothing (round ${round})`, async (failpoint, most) => {
      await using bench = await FaultBench.open({}, false, store)
      const result = await bench.tasks.note.delay(bench.log, 'a')

      await relieve(bench, failpoint)

      expect(await result.get(20)).toEqual(expect.any(Number))
      expect(bench.runs('a').length).toBe(most)
    })

    it.each(inTwoStores)(
      `at %s loses nothing where results live elsewhere (round ${round})`,
      async (failpoint, most) => {
        await using bench = await FaultBench.open({}, true, store)
        const result = await bench.tasks.note.delay(bench.log, 'a')

        await relieve(bench, failpoint)

        expect(await result.get(20)).toEqual(expect.any(Number))
        expect(bench.runs('a').length).toBeLessThanOrEqual(most)
      },
    )
  }
}

function killInTrouble(store: FaultStore): void {
  it('between publishing a retry and acknowledging leaves no gap', async () => {
    await using bench = await FaultBench.open({}, false, store)
    const result = await bench.tasks.flaky.delay(bench.log, 'a')

    await relieve(bench, `worker.before-${store.settles ? 'settle' : 'ack'}`)

    expect(await result.get(20)).toBe(1)
    // Where it takes several steps, the retry that was sent before the kill runs beside the one that is sent again.
    const most = store.settles ? 3 : 4
    // Where claims are leases, the killed one's may run out after the retry that was sent before has ended.
    const least = store.hasLeases && !store.settles ? 2 : most
    await eventually(() => bench.runs('a').length >= least)
    expect(bench.runs('a').length).toBeLessThanOrEqual(most)
  })

  it('by its own task ends as a dead letter after maxDeliveries, and the next worker lives', async () => {
    await using bench = await FaultBench.open({ maxDeliveries: 2 }, false, store)
    const { die, note, app } = bench.tasks
    const result = await die.delay(bench.log, 'poison')

    for (let death = 0; death < 2; death += 1) {
      const victim = await bench.worker().catch(() => undefined)
      await victim?.exited
    }
    await bench.worker()
    const healthy = await note.delay(bench.log, 'healthy')

    expect(await healthy.get(20)).toEqual(expect.any(Number))
    await expect(result.get(20)).rejects.toThrow(/its worker was lost 2 times/)
    expect(bench.runs('poison').map((run) => run.delivery)).toEqual([1, 2])
    const letters = await listDeadLetters(await internalsOf(app).broker(), bench.queue)
    expect(letters).toMatchObject([{ id: result.id, reason: 'worker-lost', deliveries: 3 }])
  })
}

function killBesideOthers(store: FaultStore): void {
  it('by SIGKILL in one of 16 tasks leaves one dead letter, and 15 results', () =>
    killOneOf16(store, 'SIGKILL', 3))

  it('by process.exit or out of memory in one of 16 tasks leaves one dead letter, and 15 results', async () => {
    await Promise.all([killOneOf16(store, 'process.exit', 1), killOneOf16(store, 'out of memory', 2)])
  })
}

async function killOneOf16(store: FaultStore, how: Death, maxDeliveries: number): Promise<void> {
  await using bench = await FaultBench.open({ maxDeliveries }, false, store)
  // The first death is held against none of the 16.
  const deaths = Math.max(2, maxDeliveries)
  const { end, wait, app } = bench.tasks
  const good = Array.from({ length: 15 }, (_, index) => `good-${String(index)}`)
  const results = []
  for (const id of good.slice(0, 5)) results.push(await wait.delay(bench.log, id, 200))
  const killer = await end.delay(bench.log, 'killer', how)
  for (const id of good.slice(5)) results.push(await wait.delay(bench.log, id, 200))

  for (let death = 0; death < deaths; death += 1) {
    const victim = await bench.worker({ concurrency: 10, heapMb: 48 }).catch(() => undefined)
    // One that has no killer to run does not die.
    if (victim !== undefined) await Promise.race([victim.exited, sleep(15_000, undefined, { ref: false })])
  }
  await bench.worker({ concurrency: 10 })

  for (const result of results) expect(await result.get(20)).toEqual(expect.any(Number))
  await expect(killer.get(20)).rejects.toThrow(`its worker was lost ${deaths} times`)
  expect(await listDeadLetters(await internalsOf(app).broker(), bench.queue)).toMatchObject([
    { id: killer.id },
  ])
  const deliveries = bench.runs('killer').map((run) => run.delivery)
  expect({ how, deliveries }).toEqual({ how, deliveries: [1, 2, 3].slice(0, deaths) })
}

function leavesErrors(store: FaultStore): void {
  it('by no one, as a task leaves an error that nothing catches, fails that task, lets others end, and stops', async () => {
    await Promise.all([
      leaveError(store, 'unhandled rejection', 'nobody waits for this'),
      leaveError(store, 'error in a timer', 'nobody catches this'),
    ])
  })
}

async function leaveError(store: FaultStore, how: Death, message: string): Promise<void> {
  // No worker dies: what comes again was handed back.
  const settings = { shutdownTimeout: 2, maxDeliveries: 1, lease: 30 }
  await using bench = await FaultBench.open(settings, false, store)
  const { end, wait, app } = bench.tasks
  const culprit = await end.delay(bench.log, 'culprit', how)
  const short = []
  for (const id of ['a', 'b', 'c']) short.push(await wait.delay(bench.log, id, 500))
  const long = await wait.delay(bench.log, 'long', 5_000)

  const worker = await bench.worker({ concurrency: 10 })
  const { stdout, stderr } = await worker.exited

  expect(stderr).toContain(`Nothing caught an error of fault.end[${culprit.id}], which fails`)
  expect(JSON.parse(stdout.split('\n')[1] ?? '')).toMatchObject({
    reason: 'failed',
    interrupted: [{ id: long.id, handedBack: true }],
  })
  await expect(culprit.get(20)).rejects.toThrow(message)
  for (const result of short) expect(await result.get(20)).toEqual(expect.any(Number))
  await bench.worker()
  expect(await long.get(20)).toEqual(expect.any(Number))
  expect(bench.runs('long').map((run) => run.delivery)).toEqual([1, 1])
  expect(bench.runs('culprit')).toHaveLength(1)
  expect(await listDeadLetters(await internalsOf(app).broker(), bench.queue)).toEqual([])
}

function neverYields(store: FaultStore): void {
  it('by its keeper, as a body never yields, has given back what had not started', async () => {
    await using bench = await FaultBench.open({ maxDeliveries: 5 }, false, store)
    const { block, note, app } = bench.tasks
    // Where all come back with the connection, it comes first, and must not block the other worker too.
    const endless = await block.applyAsync([bench.log, 'endless', 120_000, 1], { timeLimit: 1 })
    const neighbours = []
    for (const id of ['a', 'b', 'c']) neighbours.push(await note.delay(bench.log, id))

    const victim = await bench.worker({ concurrency: 4 })
    while (bench.runs('endless').length === 0) await sleep(10)
    process.kill(victim.pid, 'SIGTERM')
    await bench.worker()
    const { signal, stderr } = await victim.exited

    expect(signal).toBe('SIGKILL')
    expect(stderr).toMatch(/the event loop was blocked for [\d.]+ s, past the time limit, by: fault\.block\[/)
    expect(stderr).toContain(endless.id)
    for (const result of neighbours) expect(await result.get(20)).not.toBe(victim.pid)
    const { leases } = await internalsOf(app).broker()
    // Elsewhere they come as their leases or the connection end, which counts.
    if (leases?.reconcile === undefined) return
    expect(['a', 'b', 'c'].flatMap((id) => bench.runs(id).map((run) => run.delivery))).toEqual([1, 1, 1])
  })
}

function blocksForTooLong(store: FaultStore): void {
  it('by its keeper, as a body without a limit blocks it for longer than blockedLoopLimit, names the body', async () => {
    await using bench = await FaultBench.open({ blockedLoopLimit: 5 }, false, store)
    const endless = await bench.tasks.block.delay(bench.log, 'endless', 120_000)

    const victim = await bench.worker()
    const { signal, stderr } = await victim.exited

    expect(signal).toBe('SIGKILL')
    expect(stderr).toMatch(/blocked for [\d.]+ s, for as long as blockedLoopLimit allows, by: fault\.block\[/)
    expect(stderr).toContain(endless.id)
  })
}

function countsAsKiller(store: FaultStore): void {
  it('by its keeper as often as maxDeliveries allows has the body that never yields as its one dead letter', async () => {
    await using bench = await FaultBench.open({ maxDeliveries: 2 }, false, store)
    const { block, note, app } = bench.tasks
    const endless = await block.applyAsync([bench.log, 'endless', 120_000], { timeLimit: 1 })
    const neighbours = []
    for (const id of ['a', 'b', 'c']) neighbours.push(await note.delay(bench.log, id))

    for (let death = 0; death < 2; death += 1) {
      const victim = await bench.worker({ concurrency: 4 })
      expect(await victim.exited).toMatchObject({ signal: 'SIGKILL' })
    }
    await bench.worker()

    await expect(endless.get(20)).rejects.toThrow('its worker was lost 2 times')
    for (const result of neighbours) expect(await result.get(20)).toEqual(expect.any(Number))
    expect(bench.runs('endless').map((run) => run.delivery)).toEqual([1, 2])
    expect(await listDeadLetters(await internalsOf(app).broker(), bench.queue)).toMatchObject([
      { id: endless.id, reason: 'worker-lost' },
    ])
  })
}
