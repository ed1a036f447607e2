import { randomUUID } from 'node:crypto'
import type { Lovage } from '../app/app.js'
import { occurrenceId } from '../app/periodic/occurrence-id.js'
import { openSchedules, type OpenSchedules } from '../app/periodic/open-schedules.js'
import { readStored, type KnownEntry } from '../app/periodic/stored-entries.js'
import { LovageError } from '../errors/errors.js'
import type { TaskLogger } from '../task/logger.js'
import { toError } from '../util/to-error.js'
import { Agenda, type Line } from './agenda.js'
import type { BeatOptions, BeatStatus, TickReport } from './beat-options.js'
import { Nap } from './nap.js'
import { OccurrenceSender } from './occurrence-sender.js'
import { syncEntries } from './sync-entries.js'

/** A leader renews at every look, so another one takes over within the lease and one look. */
const LEASE_MS = 6_000
const LOOK_MS = 2_000
/** How far the store's clock may go back without being taken for a jump. */
const JITTER_MS = 1_000

/**
 * Sends periodic tasks when they are due. Any number of beats may run at once: each occurrence is sent by one of them.
 *
 * - waiting → leading: the store grants the lease; another beat's has ended, or there was none.
 * - leading → waiting: the store does not answer or names another; nothing is sent then, and it asks again.
 */
export class Beat {
  /** Identifies this beat among others. */
  readonly id: string = randomUUID()
  readonly #app: Lovage
  readonly #options: BeatOptions
  readonly #logger: TaskLogger
  readonly #agenda: Agenda
  readonly #nap: Nap
  #store: OpenSchedules | undefined
  #sender: OccurrenceSender | undefined
  #running: Promise<void> | undefined
  #stopping = false
  #isSynced = false
  #leads = false
  #revision = -1
  #nowMs = 0
  #leadUntilMs = 0
  #lastTickAtMs: number | undefined
  #sent = 0
  #missed = 0
  #failures = 0

  constructor(app: Lovage, options: BeatOptions = {}) {
    this.#app = app
    this.#options = options
    this.#logger = options.logger ?? app.logger
    this.#agenda = new Agenda(() => app.config().timezone)
    this.#nap = new Nap(app.clock)
  }

  /** What it does now, for health checks and metrics. */
  get status(): BeatStatus {
    const { nextMs } = this.#agenda
    return {
      leads: this.#leads,
      entries: this.#agenda.size,
      lastTickAgeMs:
        this.#lastTickAtMs === undefined
          ? undefined
          : Math.max(0, this.#app.clock.now() - this.#lastTickAtMs),
      sent: this.#sent,
      missed: this.#missed,
      nextMs: Number.isFinite(nextMs) ? nextMs : undefined,
    }
  }

  /** Run until {@link Beat.stop}. Rejects for what trying again cannot mend: settings, and schedules that are none. */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  /** Finish what is being sent, and give leadership to another. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#nap.end()
    await this.#running?.catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(): Promise<void> {
    await this.#app.loadTaskModules()
    this.#app.periodic.all()
    this.#logger.info({ beat: this.id }, 'beat: Starting...')
    try {
      while (!this.#stopping) await this.#nap.take(await this.#tick())
    } finally {
      await this.#leave()
    }
  }

  /** One look; resolves with how long to sleep. Never rejects but for good. */
  async #tick(): Promise<number> {
    try {
      const report = await this.#look()
      this.#failures = 0
      this.#lastTickAtMs = this.#app.clock.now()
      this.#options.onTick?.(report)
    } catch (thrown) {
      const error = toError(thrown)
      await this.#lose(error)
      if (!(error instanceof LovageError) || error.code === 'LOVAGE_CONFIG') throw error
    }
    return this.#sleepMs()
  }

  #sleepMs(): number {
    const asked = this.#app.config().beatMaxLoopIntervalMs
    const longestMs = asked > 0 ? Math.min(asked, LOOK_MS) : LOOK_MS
    if (!this.#leads) return longestMs
    return Math.max(1, Math.min(longestMs, this.#agenda.nextMs - this.#nowMs))
  }

  async #look(): Promise<TickReport> {
    const { schedules } = await this.#open()
    const { leads, nowMs, revision } = await schedules.lead(this.id, LEASE_MS)
    this.#leadUntilMs = this.#app.clock.now() + LEASE_MS / 2
    const before = this.#nowMs
    this.#nowMs = nowMs
    if (leads !== this.#leads) this.#turn(leads)
    if (!leads) return { leads, sent: 0, missed: 0, entries: this.#agenda.size }
    if (nowMs < before - JITTER_MS) this.#agenda.rewind(nowMs)
    if (!this.#isSynced) await this.#sync(nowMs)
    if (revision !== this.#revision || !this.#isSynced) await this.#load(revision)
    this.#isSynced = true
    const [sent, missed] = [this.#sent, this.#missed]
    await this.#sendDue(nowMs)
    return { leads, sent: this.#sent - sent, missed: this.#missed - missed, entries: this.#agenda.size }
  }

  #turn(leads: boolean): void {
    this.#leads = leads
    this.#revision = -1
    this.#logger.info({ beat: this.id }, leads ? 'beat: leads' : 'beat: another one leads; waiting')
  }

  async #open(): Promise<OpenSchedules> {
    if (this.#store !== undefined) return this.#store
    const store = await openSchedules(this.#app)
    this.#store = store
    this.#sender = new OccurrenceSender(this.#app, store)
    if (store.place === 'file')
      this.#logger.warn(
        { file: `${this.#app.config().beatScheduleFilename}.sqlite` },
        'beat: schedules are in a local file, as neither broker nor backend can hold them: only one beat is safe. Set beatStore to run more.',
      )
    return store
  }

  async #sync(nowMs: number): Promise<void> {
    const { schedules } = await this.#open()
    const report = await syncEntries(schedules, this.#app.periodic.all(), nowMs)
    if (report.removed.length > 0)
      this.#logger.info(
        report,
        `beat: removed, as nothing declares them any more: ${report.removed.join(', ')}`,
      )
  }

  async #load(revision: number): Promise<void> {
    const { schedules } = await this.#open()
    const stored = await schedules.loadEntries()
    const declared = this.#app.periodic.all()
    const entries: KnownEntry[] = []
    for (const [name, entry] of stored) {
      try {
        entries.push(readStored(name, entry, declared.get(name)))
      } catch (error) {
        this.#logger.error(
          { err: error, entry: name },
          `beat: cannot read the entry "${name}"; it is not sent`,
        )
      }
    }
    this.#agenda.load(entries)
    this.#revision = revision
  }

  async #sendDue(nowMs: number): Promise<void> {
    const deadlineMs = this.#app.config().beatCronStartingDeadlineMs
    for (const line of this.#agenda.dueAt(nowMs)) {
      const due = this.#agenda.look(line, { nowMs, deadlineMs })
      if (due === undefined) continue
      if (due.missed > 0) this.#tellMissed(line, due.missed)
      for (const atMs of due.sendMs) {
        await this.#renew()
        if (!this.#leads) return
        await this.#send(line, atMs)
        this.#agenda.done(line, atMs)
      }
      this.#agenda.done(line, due.doneMs)
    }
  }

  /** A long list is sent under a lease that holds. */
  async #renew(): Promise<void> {
    if (this.#app.clock.now() < this.#leadUntilMs || this.#store === undefined) return
    const { leads } = await this.#store.schedules.lead(this.id, LEASE_MS)
    this.#leadUntilMs = this.#app.clock.now() + LEASE_MS / 2
    if (!leads) this.#turn(false)
  }

  async #send({ entry }: Line, atMs: number): Promise<void> {
    const id = occurrenceId(entry.name, atMs)
    try {
      const isFirst = await this.#sender?.send(entry, { id, entry: entry.name, scheduledAtMs: atMs })
      if (isFirst !== true) return
      this.#sent += 1
      this.#logger.info(
        { entry: entry.name, task: entry.task, id, due: new Date(atMs).toISOString() },
        `beat: Sending due task ${entry.name} (${entry.task})`,
      )
    } catch (error) {
      // A lost connection concerns all of them; anything else this message alone.
      if (error instanceof LovageError && error.retryable) throw error
      this.#logger.error({ err: error, entry: entry.name }, `beat: cannot send ${entry.name} (${entry.task})`)
    }
  }

  #tellMissed({ entry }: Line, missed: number): void {
    this.#missed += missed
    this.#logger.warn(
      { entry: entry.name, missed, catchUp: entry.catchUp.policy },
      `beat: ${entry.name} has missed instants (catch-up: ${entry.catchUp.policy})`,
    )
  }

  async #lose(error: Error): Promise<void> {
    this.#failures += 1
    if (this.#leads || this.#failures === 1)
      this.#logger.error({ err: error, lastTickAgeMs: this.status.lastTickAgeMs }, `beat: ${error.message}`)
    this.#leads = false
    this.#revision = -1
    const store = this.#store
    this.#store = undefined
    await store?.close().catch(() => undefined)
  }

  async #leave(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    try {
      await store?.schedules.resign(this.id)
    } catch {
      // The lease ends by itself.
    }
    this.#leads = false
    await store?.close().catch(() => undefined)
    this.#logger.info({ beat: this.id }, 'beat: stopped')
  }
}
