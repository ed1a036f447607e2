import { beforeAll, afterAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Consumer } from '../../../src/broker/contract.js'
import { BackendError } from '../../../src/errors/errors.js'
import type { Message } from '../../../src/message/message.js'
import { silentLogger } from '../../../src/task/logger.js'
import type { Outcome } from '../../../src/task/outcome.js'
import { internalsOf } from '../../../src/util/internals.js'
import { hostOfApp } from '../../../src/worker/app-host.js'
import { ClaimSet } from '../../../src/worker/claim/claim-set.js'
import { ClaimWindow } from '../../../src/worker/claim/claim-window.js'
import { ReadAhead } from '../../../src/worker/claim/read-ahead.js'
import type { WorkerHost } from '../../../src/worker/host.js'
import { ClaimBoard } from '../../../src/worker/lease/claim-board.js'
import type { Job, Pool } from '../../../src/worker/pool/pool.js'
import {
  ClaimedDelivery,
  DeliveryStateError,
  NEXT_STATES,
  type DeliveryState,
} from '../../../src/worker/run/delivery.js'
import { Dispatcher } from '../../../src/worker/run/dispatcher.js'
import { EventLoopMonitor } from '../../../src/worker/run/event-loop-monitor.js'
import type { Run } from '../../../src/worker/run/run.js'
import { TaskLog } from '../../../src/worker/run/task-log.js'
import { UnderWay } from '../../../src/worker/run/under-way.js'
import { resolveSettings, type WorkerSettings } from '../../../src/worker/settings.js'
import { OutcomeSettlements } from '../../../src/worker/settle/outcome-settlement.js'
import { Records } from '../../../src/worker/settle/records.js'
import type { Settler } from '../../../src/worker/settle/settler.js'
import { ManualClock } from '../../support/manual-clock.js'
import { Bench } from './harness.js'
import { deliveryOf } from '../../support/messages.js'

const ENDS: readonly DeliveryState[] = ['done', 'handed-back', 'lost']
const STATES = Object.keys(NEXT_STATES) as DeliveryState[]

/** What may happen, in any order; `at` picks one of the deliveries, bodies or settlements that it can happen to. */
type Step =
  | { readonly kind: 'claim'; readonly task: 'late' | 'early' | 'unknown' }
  | { readonly kind: 'end'; readonly at: number; readonly as: 'success' | 'failure' | 'retry' | 'requeue' }
  | { readonly kind: 'throw'; readonly at: number }
  | { readonly kind: 'settle' | 'refuse' | 'lose-silently' | 'lose-lease' | 'come-back'; readonly at: number }
  | { readonly kind: 'lose-connection'; readonly cancels: boolean }
  | { readonly kind: 'stalled' | 'stop' | 'interrupt' | 'abandon' }

const at = fc.nat({ max: 5 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('claim' as const), task: fc.constantFrom('late', 'early') }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'claim' as const, task: 'unknown' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      at,
      as: fc.constantFrom('success', 'failure', 'retry', 'requeue'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('refuse', 'lose-silently', 'lose-lease', 'come-back', 'throw'),
      at,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('lose-connection' as const), cancels: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.constantFrom({ kind: 'stalled' }, { kind: 'interrupt' }) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'stop' }, { kind: 'abandon' }) },
)

/** What the store knows of one run. */
interface Seen {
  readonly run: Run
  bodies: number
  /** Applied settlements that ended a claim. */
  readonly ended: ('acknowledged' | 'handed back' | 'outcome')[]
  /** Applied settlements with an outcome. */
  outcomes: number
  /** The worker knows that the claim is lost. */
  isKnownLost: boolean
}

interface Settling {
  readonly item: ClaimedDelivery
  readonly claims: Claims
}

/** The claims of one connection, with a settler that answers when a test says so. */
class Claims extends ClaimSet {
  readonly live = new Set<string>()
  readonly fake: { isDead: boolean }

  constructor(stage: Stage, holder: string | undefined) {
    const fake = {
      isDead: false,
      add: (item: ClaimedDelivery): void => {
        if (fake.isDead && !item.acked) item.settled(false)
        else stage.settling.push({ item, claims: this })
      },
    }
    const consumer = { setCredit: async () => undefined, ...(holder === undefined ? {} : { holder }) }
    const capabilities = { claims: holder === undefined ? 'connection' : 'leased' }
    super({
      broker: { capabilities } as unknown as ClaimSet['broker'],
      consumer: consumer as unknown as Consumer,
      settler: fake as unknown as Settler,
      changed: undefined,
      flush: undefined,
    })
    this.fake = fake
  }
}

/** The parts that move deliveries, between stores and a pool that do what a test says. */
class Stage {
  readonly settling: Settling[] = []
  readonly seen: Seen[] = []
  readonly faults: string[] = []
  readonly visited = new Set<DeliveryState>()
  readonly bodies: { readonly run: Run; readonly resolve: (outcome: Outcome) => void }[] = []
  readonly window: ClaimWindow
  readonly underWay: UnderWay
  readonly dispatcher: Dispatcher
  readonly clock = new ManualClock()
  readonly #messages: ReadonlyMap<string, Message>
  readonly #holder: string | undefined
  claims: Claims
  readonly allClaims: Claims[] = []
  #tags = 0

  constructor(
    {
      host,
      settings,
      messages,
    }: { host: WorkerHost; settings: WorkerSettings; messages: ReadonlyMap<string, Message> },
    holder: string | undefined,
  ) {
    this.#messages = messages
    this.#holder = holder
    this.claims = this.#connect()
    const here = { ...host, clock: this.clock, logger: silentLogger }
    this.window = new ClaimWindow({ ...settings, readAhead: new ReadAhead(settings) })
    this.underWay = new UnderWay(this.window)
    const records = new Records(here, settings)
    const log = new TaskLog(silentLogger)
    log.received = (run) => {
      run.become = (state) => {
        if (!NEXT_STATES[run.state].includes(state)) this.faults.push(`${run.state} becomes ${state}`)
        ClaimedDelivery.prototype.become.call(run, state)
        this.visited.add(state)
      }
      this.seen.push({ run, bodies: 0, ended: [], outcomes: 0, isKnownLost: false })
    }
    const eventLoop = new EventLoopMonitor({
      logger: silentLogger,
      elapsedMs: () => 0,
      running: this.underWay.running,
      beat: () => undefined,
    })
    eventLoop.begin = () => undefined
    this.dispatcher = new Dispatcher({
      host: here,
      settings,
      window: this.window,
      records,
      pool: this.#pool(settings.concurrency),
      outcomes: new OutcomeSettlements(here, records, settings.deadLetters),
      log,
      eventLoop,
      board: new ClaimBoard(1),
      underWay: this.underWay,
    })
  }

  /** Do what can be done of a step. */
  async do(step: Step): Promise<void> {
    this.#happen(step)
    await turn()
  }

  #happen(step: Step): void {
    switch (step.kind) {
      case 'claim':
        this.claim(step.task)
        return
      case 'end':
        pick(this.bodies, step.at)?.resolve(OUTCOMES[step.as])
        return
      case 'lose-connection':
        this.loseConnection(step.cancels)
        return
      case 'stalled':
      case 'stop':
      case 'interrupt':
      case 'abandon':
        this.#happenToAll(step.kind)
        return
      default:
        this.#happenTo(step.kind, step.at)
    }
  }

  #happenTo(kind: Extract<Step, { at: number }>['kind'], index: number): void {
    const steps: Readonly<Record<string, () => void>> = {
      throw: () => {
        const run = pick([...this.underWay.running], index)
        if (run !== undefined) this.dispatcher.runner.fail(run, new RangeError('uncaught'))
      },
      settle: () => this.settle(index),
      refuse: () => take(this.settling, index)?.item.refused(new BackendError('no')),
      'lose-silently': () => {
        const open = pick(this.#open(), index)
        open?.claims.live.delete(open.tag)
      },
      'lose-lease': () => this.#loseLease(index),
      'come-back': () => this.comeBack(index),
    }
    steps[kind]?.()
  }

  #happenToAll(kind: 'stalled' | 'stop' | 'interrupt' | 'abandon'): void {
    if (kind === 'stalled') this.clock.advance(1_000)
    if (kind === 'stop' || kind === 'abandon') this.dispatcher.stop()
    if (kind === 'abandon') this.dispatcher.runner.abandonRunning()
    if (kind === 'interrupt') this.dispatcher.runner.interruptAll()
  }

  claim(task: string, replaces?: string): void {
    this.#tags += 1
    const tag = `tag-${this.#tags}`
    const message = this.#messages.get(task)
    if (message === undefined) throw new RangeError(task)
    const delivery = deliveryOf(tag, {
      queue: 'celery',
      message,
      ...(replaces === undefined ? {} : { replaces }),
    })
    this.claims.live.add(tag)
    this.dispatcher.receive(this.claims, [delivery])
  }

  /** The store answers what it is asked: applied where the claim lives. */
  settle(index: number): void {
    const settling = take(this.settling, index)
    if (settling === undefined) return
    const { item, claims } = settling
    const seen = this.seen.find(({ run }) => run === item)
    const { acked, state } = item
    if (!acked && seen !== undefined && seen.ended.length > 0) this.faults.push('a claim is settled twice')
    const isApplied = acked || claims.live.delete(item.delivery.tag)
    if (isApplied && seen !== undefined) {
      if (state === 'settling') seen.outcomes += 1
      if (!acked)
        seen.ended.push(
          state === 'settling' ? 'outcome' : state === 'acknowledging' ? 'acknowledged' : 'handed back',
        )
    }
    item.settled(isApplied)
  }

  loseConnection(cancels: boolean): void {
    const lost = this.claims
    this.claims = this.#connect()
    if (this.#holder === undefined) {
      lost.live.clear()
      for (const seen of this.seen) seen.isKnownLost ||= seen.run.claims === lost && !seen.run.acked
    }
    this.dispatcher.connectionLost(lost, cancels)
    if (this.#holder !== undefined) return
    lost.fake.isDead = true
    for (const settling of this.settling.filter((one) => one.claims === lost && !one.item.acked)) {
      this.settling.splice(this.settling.indexOf(settling), 1)
      settling.item.settled(false)
    }
  }

  /** A message whose claim died with its connection is claimed again by this worker. */
  comeBack(index: number): void {
    const gone = this.seen.filter(
      ({ run }) => run.claims !== this.claims && run.claims.endWithConnection && !ENDS.includes(run.state),
    )
    const back = pick(gone, index)
    if (back === undefined) return
    back.isKnownLost = false
    this.claim(back.run.policy.acksLate ? 'late' : 'early', back.run.delivery.tag)
  }

  /** Let everything come to its end. */
  async finish(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      const isQuiet = this.bodies.length === 0 && this.settling.length === 0 && this.dispatcher.buffered === 0
      const unclaimed = this.seen.findIndex(({ run }) => run.state === 'unclaimed')
      if (isQuiet && unclaimed < 0) break
      for (const { resolve } of [...this.bodies]) resolve(OUTCOMES.success)
      await turn()
      while (this.settling.length > 0) this.settle(0)
      const waiting = this.seen.find(({ run }) => run.state === 'unclaimed')
      if (waiting !== undefined) this.claim('late', waiting.run.delivery.tag)
      await turn()
    }
    await this.underWay.drained()
  }

  #connect(): Claims {
    const claims = new Claims(this, this.#holder)
    this.allClaims.push(claims)
    return claims
  }

  #open(): readonly { readonly claims: Claims; readonly tag: string }[] {
    return this.allClaims.flatMap((claims) => [...claims.live].map((tag) => ({ claims, tag })))
  }

  #loseLease(index: number): void {
    const open = pick(this.#open(), index)
    if (open === undefined) return
    open.claims.live.delete(open.tag)
    for (const seen of this.seen) {
      const { run } = seen
      // The store tells of what it was asked to settle.
      if (run.delivery.tag === open.tag && (run.state === 'buffered' || (run.isRunning && !run.acked)))
        seen.isKnownLost = true
    }
    this.dispatcher.loseClaims(open.claims, new Set([open.tag]))
  }

  #pool(concurrency: number): Pool {
    return {
      name: 'scripted',
      concurrency,
      leftover: 0,
      start: async () => undefined,
      stop: async () => undefined,
      run: (job: Job) => {
        const seen = this.seen.find(({ run }) => run === job)
        if (seen === undefined) throw new RangeError('a body without a delivery')
        if (seen.isKnownLost) this.faults.push('a body starts although its claim is lost')
        seen.bodies += 1
        return {
          outcome: new Promise((resolve) => {
            const body = {
              run: seen.run,
              resolve: (outcome: Outcome): void => {
                this.bodies.splice(this.bodies.indexOf(body), 1)
                resolve(outcome)
              },
            }
            this.bodies.push(body)
          }),
          cancel: () => undefined,
        }
      },
    }
  }
}

const failure = {
  exception: { exc_type: 'Error', exc_message: ['no'], exc_module: 'x' },
  traceback: '',
  message: 'no',
}
const OUTCOMES: Readonly<Record<'success' | 'failure' | 'retry' | 'requeue', Outcome>> = {
  success: { kind: 'success', value: 1, children: [] },
  failure: { kind: 'failure', failure, expected: false, children: [] },
  retry: { kind: 'retry', retry: { countdownMs: 0, failure }, children: [] },
  requeue: { kind: 'reject', reason: 'later', requeue: true, children: [] },
}

function pick<Value>(list: readonly Value[], index: number): Value | undefined {
  return list.length === 0 ? undefined : list[index % list.length]
}

function take<Value>(list: Value[], index: number): Value | undefined {
  return list.length === 0 ? undefined : list.splice(index % list.length, 1)[0]
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('the state of a delivery', () => {
  let bench: Bench
  let made: { host: WorkerHost; settings: WorkerSettings; messages: Map<string, Message> }

  beforeAll(async () => {
    bench = new Bench()
    const late = bench.app.task('late', () => 1)
    const early = bench.app.task({ name: 'early', acksLate: false }, () => 1)
    await internalsOf(bench.app).prepareCodecs()
    const messages = new Map<string, Message>()
    for (const send of [() => late.delay(), () => early.delay(), () => bench.app.sendTask('unknown')]) {
      await send()
      const [delivery] = await bench.take()
      if (delivery !== undefined) messages.set(String(delivery.message.headers['task']), delivery.message)
    }
    const host = hostOfApp(bench.app, silentLogger, await internalsOf(bench.app).workerBackend())
    const settings = resolveSettings(internalsOf(bench.app).config(), { concurrency: 2 })
    made = { host, settings, messages }
  })

  afterAll(() => bench[Symbol.asyncDispose]())

  it('changes only as the table says, and an end is the last', () => {
    const claims = new Claims(new Stage(made, 'holder'), 'holder')
    for (const from of STATES) {
      for (const to of STATES) {
        const delivery = reached(from, claims)
        const step = (): void => delivery.become(to)
        if (NEXT_STATES[from].includes(to)) expect(step).not.toThrow()
        else expect(step).toThrow(DeliveryStateError)
      }
    }
    expect(STATES.filter((state) => NEXT_STATES[state].length === 0)).toEqual(ENDS)
  })

  it.each([
    ['outlive their connection', 'holder'],
    ['die with their connection', undefined],
  ] as const)('has one end, whatever happens in whatever order, where claims %s', async (_where, holder) => {
    const visited = new Set<DeliveryState>()
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
        const stage = new Stage(made, holder)

        for (const step of steps) await stage.do(step)
        await stage.finish()

        expect(stage.faults).toEqual([])
        for (const { run, bodies, ended, outcomes } of stage.seen) {
          expect(ENDS).toContain(run.state)
          expect(bodies).toBeLessThanOrEqual(1)
          expect(ended.length).toBeLessThanOrEqual(1)
          expect(outcomes).toBe(run.state === 'done' ? 1 : 0)
          if (run.state === 'handed-back') expect(ended).toEqual(['handed back'])
          if (run.state === 'done') expect(ended).toEqual([run.policy.acksLate ? 'outcome' : 'acknowledged'])
        }
        expect([stage.underWay.running.size, stage.underWay.settlements]).toEqual([0, 0])
        expect(stage.window.isSettled).toBe(true)
        expect(stage.allClaims.flatMap(({ tags }) => tags)).toEqual([])
        for (const state of stage.visited) visited.add(state)
      }),
      { numRuns: 400, seed: 1 },
    )
    const begun = ['refused', 'buffered', ...(holder === undefined ? [] : ['unclaimed'])]
    expect(STATES.filter((state) => !visited.has(state))).toEqual(
      STATES.filter((state) => begun.includes(state)),
    )
  })
})

/** A delivery that has come to this state. */
function reached(state: DeliveryState, claims: Claims): ClaimedDelivery {
  const delivery = deliveryOf('1')
  const owner = { settled: () => undefined, refused: () => undefined }
  for (const first of ['buffered', 'refused'] as const) {
    const path = pathTo(state, first)
    if (path === undefined) continue
    const item = new ClaimedDelivery({ delivery, claims }, first, owner)
    for (const next of path) item.become(next)
    return item
  }
  throw new RangeError(`nothing leads to ${state}`)
}

function pathTo(state: DeliveryState, from: DeliveryState): readonly DeliveryState[] | undefined {
  const paths = new Map<DeliveryState, readonly DeliveryState[]>([[from, []]])
  for (const [known, path] of paths)
    for (const next of NEXT_STATES[known]) if (!paths.has(next)) paths.set(next, [...path, next])
  return paths.get(state)
}
