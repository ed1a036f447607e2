import type { TaskRequest } from '../../task/request.js'
import { monotonicMs } from '../../util/monotonic.js'

/** Where a claim is: it has yet to start, its body runs, or the body has ended and is being settled. */
const STATE = { free: 0, waiting: 1, running: 2, ended: 3 } as const

/** A slot: state, bytes of the tag, bytes of the id, number of the task's name, start, limit; then tag and id. */
const SLOT_BYTES = 1024
const TEXT_AT = 32
const TEXT_BYTES = SLOT_BYTES - TEXT_AT
const HEADER_BYTES = 64
/** Names of tasks, each written once: its length in bytes, then the name. */
const NAMES = 128
const NAME_BYTES = 256
const SLOTS_AT = HEADER_BYTES + NAMES * NAME_BYTES
/** Words of the header. */
const TAKEN_BACK = 0
const CURRENT = 1
const UNLISTED = 2
/** The beat, as a float behind the words. */
const BEAT_AT = 32

/** A body that runs. */
export interface RunningBody {
  readonly name: string
  /** When it started, in milliseconds of the machine's monotonic clock, where it has a limit. */
  readonly startedMs: number
  readonly hardLimitMs: number | undefined
}

/** What the board says while the event loop stands still. */
export interface BoardView {
  /** When the event loop last turned, on the same clock. */
  readonly beatMs: number
  readonly running: readonly RunningBody[]
  /** The body that has not come to its first `await` yet: if there is one, it is what blocks. */
  readonly current: RunningBody | undefined
}

/** The claims of a worker in memory that its threads share, since a thread that is blocked answers no message. */
export class ClaimBoard {
  readonly memory: SharedArrayBuffer
  /** Whether another thread looks at it; without one nothing is written. */
  isWatched = false
  readonly #words: Int32Array
  readonly #floats: Float64Array
  readonly #bytes: Buffer
  readonly #free: number[] = []
  readonly #names = new Map<string, number>()
  #seen = 0

  /** @param memory - Of a board in another thread, or how many claims there may be. */
  constructor(memory: SharedArrayBuffer | number) {
    this.memory = typeof memory === 'number' ? new SharedArrayBuffer(SLOTS_AT + memory * SLOT_BYTES) : memory
    this.#words = new Int32Array(this.memory)
    this.#floats = new Float64Array(this.memory)
    this.#bytes = Buffer.from(this.memory)
    if (typeof memory === 'number') for (let slot = memory - 1; slot >= 0; slot -= 1) this.#free.push(slot)
  }

  /** The event loop turns. */
  beat(): void {
    this.#floats[BEAT_AT / 8] = monotonicMs()
  }

  /** A claim waits for its start. @returns its slot; -1 where there is no room, and then nothing is taken back. */
  add(tag: string, { task, id }: Pick<TaskRequest, 'task' | 'id'>, hardLimitMs = 0): number {
    const slot = isTooLong(tag) ? undefined : this.#free.pop()
    if (slot === undefined) {
      Atomics.add(this.#words, UNLISTED, 1)
      return -1
    }
    const at = offsetOf(slot)
    const name = this.#nameOf(task)
    const tagBytes = this.#bytes.write(tag, at + TEXT_AT, TEXT_BYTES)
    const text = name === 0 ? `${task}[${id}]` : id
    this.#words[at / 4 + 1] = tagBytes
    this.#words[at / 4 + 2] = this.#bytes.write(text, at + TEXT_AT + tagBytes, TEXT_BYTES - tagBytes)
    this.#words[at / 4 + 3] = name
    this.#floats[at / 8 + 3] = hardLimitMs
    Atomics.store(this.#words, at / 4, STATE.waiting)
    return slot
  }

  /** Its body starts. @returns `false` when claims were taken back meanwhile: it must not. */
  start(slot = -1): boolean {
    if (slot < 0) return true
    const at = offsetOf(slot)
    if (this.#floats[at / 8 + 3] !== 0) this.#floats[at / 8 + 2] = monotonicMs()
    Atomics.store(this.#words, at / 4, STATE.running)
    // The other side counts first and reads then: one of the two sees what the other did.
    return !this.isTakenBack
  }

  /** Call the body of this slot: until it first waits, nothing else of this thread runs. */
  current<Value>(slot: number | undefined, call: () => Value): Value {
    if (slot === undefined) return call()
    this.#words[CURRENT] = slot + 1
    try {
      return call()
    } finally {
      this.#words[CURRENT] = 0
    }
  }

  /** Its body has ended. */
  end(slot = -1): void {
    if (slot >= 0) Atomics.store(this.#words, offsetOf(slot) / 4, STATE.ended)
  }

  /** The claim that has this slot, if it has one, is over. */
  remove(claim: { slot: number | undefined }): void {
    const { slot } = claim
    claim.slot = undefined
    if (slot === undefined) return
    if (slot < 0) {
      Atomics.sub(this.#words, UNLISTED, 1)
      return
    }
    Atomics.store(this.#words, offsetOf(slot) / 4, STATE.free)
    this.#free.push(slot)
  }

  /** Whether what waited was taken back since this was last {@link noticed}. */
  get isTakenBack(): boolean {
    return Atomics.load(this.#words, TAKEN_BACK) !== this.#seen
  }

  /** What was taken back is not started. */
  noticed(): void {
    this.#seen = Atomics.load(this.#words, TAKEN_BACK)
  }

  /** From the other side: what waits must not start. @returns tags of the claims that wait, and of all others. */
  takeBack(): { readonly waiting: readonly string[]; readonly kept: readonly string[] } | undefined {
    if (Atomics.load(this.#words, UNLISTED) > 0) return undefined
    Atomics.add(this.#words, TAKEN_BACK, 1)
    const waiting: string[] = []
    const kept: string[] = []
    for (const at of this.#taken()) {
      const isWaiting = Atomics.load(this.#words, at / 4) === STATE.waiting
      const list = isWaiting ? waiting : kept
      list.push(this.#text(at + TEXT_AT, this.#words[at / 4 + 1]))
    }
    return { waiting, kept }
  }

  /** From the other side: what the loop does. */
  view(): BoardView {
    const running: RunningBody[] = []
    const currentSlot = Atomics.load(this.#words, CURRENT) - 1
    let current: RunningBody | undefined
    for (const at of this.#taken()) {
      if (Atomics.load(this.#words, at / 4) !== STATE.running) continue
      const body = this.#bodyAt(at)
      running.push(body)
      if (currentSlot >= 0 && at === offsetOf(currentSlot)) current = body
    }
    return { beatMs: this.#floats[BEAT_AT / 8] ?? 0, running, current }
  }

  #bodyAt(at: number): RunningBody {
    const limitMs = this.#floats[at / 8 + 3] ?? 0
    const id = this.#text(at + TEXT_AT + (this.#words[at / 4 + 1] ?? 0), this.#words[at / 4 + 2])
    const name = this.#words[at / 4 + 3] ?? 0
    const nameAt = HEADER_BYTES + (name - 1) * NAME_BYTES
    return {
      name: name === 0 ? id : `${this.#text(nameAt + 4, this.#words[nameAt / 4])}[${id}]`,
      startedMs: this.#floats[at / 8 + 2] ?? 0,
      hardLimitMs: limitMs > 0 ? limitMs : undefined,
    }
  }

  /** The number of a task's name; 0 where there is no room for it. */
  #nameOf(task: string): number {
    const known = this.#names.get(task)
    if (known !== undefined) return known
    const at = HEADER_BYTES + this.#names.size * NAME_BYTES
    if (this.#names.size === NAMES || Buffer.byteLength(task) > NAME_BYTES - 4) return 0
    this.#words[at / 4] = this.#bytes.write(task, at + 4)
    this.#names.set(task, this.#names.size + 1)
    return this.#names.size
  }

  #text(from: number, bytes = 0): string {
    return this.#bytes.toString('utf8', from, from + bytes)
  }

  /** Where slots begin that are in use. */
  *#taken(): Iterable<number> {
    for (let at = SLOTS_AT; at < this.memory.byteLength; at += SLOT_BYTES)
      if (Atomics.load(this.#words, at / 4) !== STATE.free) yield at
  }
}

function isTooLong(tag: string): boolean {
  return tag.length > TEXT_BYTES / 3 && Buffer.byteLength(tag) > TEXT_BYTES
}

function offsetOf(slot: number): number {
  return SLOTS_AT + slot * SLOT_BYTES
}
