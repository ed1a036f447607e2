import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../conformance/time.js'
import type { ConfigInput } from '../../src/index.js'
import { node, type Child } from '../support/child.js'
import { tempFolder } from '../support/temp.js'
import { beatStores, type FaultStore } from './fixture/fault-store.js'
import { audit, patientApp, takeSent } from './fixture/sent-occurrences.js'

const script = fileURLToPath(new URL('./fixture/beat-process.js', import.meta.url))
const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const ROUNDS = isFull ? 20 : 1
const MOST_ROUNDS = ROUNDS + 4
const BEATS = isFull ? 3 : 2
const ENTRIES = 8
const EVERY_MS = 1_000

const stores = beatStores(isFull)

/** Beat processes on one store, of which one sends at a time. */
class Beats implements AsyncDisposable {
  readonly #args: readonly string[]
  #children: Child[] = []

  constructor(settings: ConfigInput) {
    this.#args = [JSON.stringify(settings), String(ENTRIES), '40']
  }

  fill(): void {
    while (this.#children.length < BEATS) this.#children.push(node(script, this.#args))
  }

  /** Kill the one that sends while a tick is half sent; resolves with how many messages of its last tick it sent. */
  async killInMidTick(): Promise<number> {
    const before = new Map(this.#children.map((child) => [child, dues(child).length]))
    const isAt = (child: Child): boolean =>
      dues(child).length > (before.get(child) ?? 0) && ofLastTick(child) === 3
    // Who leads may change while one waits.
    const leader = await eventually(() => this.#children.find(isAt), 60_000)
    await sleep(Math.random() * 60)
    leader.kill('SIGKILL')
    await leader.exited
    this.#children = this.#children.filter((child) => child !== leader)
    return ofLastTick(leader)
  }

  /** Wait until somebody has sent so many messages more. */
  async sending(count: number): Promise<void> {
    const before = this.#children.map((child) => dues(child).length)
    await eventually(
      () => this.#children.find((child, index) => dues(child).length >= (before[index] ?? 0) + count),
      60_000,
    )
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill('SIGTERM')
    await Promise.all(this.#children.map(({ exited }) => exited))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()))
  }
}

function dues(child: Child): readonly string[] {
  return [...child.stdout.matchAll(/^sent (.*)$/gm)].map(([, due = '']) => due)
}

function ofLastTick(child: Child): number {
  const all = dues(child)
  return all.filter((due) => due === all.at(-1)).length
}

/** What was sent of each entry while leaders were killed, and how many ticks were left half sent. */
async function ordeal(
  store: FaultStore,
): Promise<{ readonly halves: number; readonly flaws: readonly object[] }> {
  await using folder = await tempFolder('beats')
  const settings = store.settings(folder, false)
  await using beats = new Beats(settings)
  beats.fill()
  let halves = 0
  // A machine that is busy may be late with a kill: then there is one more.
  for (let round = 0; round < ROUNDS || (halves === 0 && round < MOST_ROUNDS); round += 1) {
    if ((await beats.killInMidTick()) < ENTRIES) halves += 1
    beats.fill()
    await beats.sending(1)
  }
  // What was due while nobody led is sent by now.
  await beats.sending(ENTRIES * 12)
  await beats.stop()
  await using app = patientApp(settings, store.name)
  const sent = await takeSent(app)
  const audits = Array.from({ length: ENTRIES }, (_, index) => ({
    entry: `e${String(index)}`,
    ...audit(sent, `e${String(index)}`, EVERY_MS),
  }))
  const isFlawed = ({ count, doubles, missing }: ReturnType<typeof audit>): boolean =>
    count < 2 || doubles.length + missing.length > 0
  return { halves, flaws: audits.filter(isFlawed) }
}

describe(`beats of which the leader is killed in mid-tick, ${String(ROUNDS)} times`, () => {
  // Two stores at a time: they mostly wait for leases, and all at once would keep a small machine from answering.
  const ordeals: ReturnType<typeof ordeal>[] = []
  const of = async (at: number): ReturnType<typeof ordeal> => {
    for (const [index, store] of stores.entries())
      if (index >> 1 === at >> 1) ordeals[index] ??= ordeal(store)
    await Promise.allSettled(ordeals)
    return ordeals[at] ?? Promise.reject(new Error('no such store'))
  }

  it.each(stores.map((store, at) => [store.name, at] as const))(
    'send each occurrence of each entry once on %s',
    async (_name, at) => {
      const { halves, flaws } = await of(at)

      expect(flaws).toEqual([])
      expect(halves).toBeGreaterThan(0)
    },
    150_000 + 30_000 * ROUNDS,
  )
})
