import { randomUUID } from 'node:crypto'
import { keepDamagedFile, openSchedules, type OpenSchedules, type ScheduleHost } from './open-schedules.js'
import { readStored, type KnownEntry } from './stored-entries.js'
import { LovageError, StoreDamagedError } from '../errors/errors.js'
import { guardLogger, type TaskLogger } from '../task/logger.js'
import { toError } from '../util/to-error.js'
import { ScheduledEntries, type ScheduledEntry } from './scheduled-entries.js'
import type { BeatOptions, BeatStatus, TickReport } from './beat-options.js'
import { EntryStartTimes } from './entry-start-times.js'
import { InterruptibleSleep } from '../util/interruptible-sleep.js'
import type { PeriodicTasks } from './periodic-tasks.js'
import { occurrenceId, OccurrenceSender, type SendingHost } from './occurrence-sender.js'
import { syncEntries } from './sync-entries.js'
import { internalsOf, type AppWith } from '../util/internals.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** What a beat needs of its app. */
export interface BeatHost extends ScheduleHost, SendingHost {
  readonly logger: TaskLogger
  readonly periodic: PeriodicTasks
  loadTaskModules(): Promise<void>
}

/** A leader renews at every look, so another one takes over within the lease and one look. */
const LEASE_MS = 6_000
const LOOK_MS = 2_000
/** How far the store's clock may go back without being taken for a jump. */
const JITTER_MS = 1_000
/** How often a store that does not answer is logged. */
const LOG_EVERY_MS = 60_000

/**
 * Sends periodic tasks when they are due. Any number of beats may run at once: each occurrence is sent by one of them.
 *
 * - waiting → leading: the store grants the lease; another beat's has ended, or there was none.
 * - leading → waiting: the store does not answer or names another; nothing is sent then, and it asks again.
 */
export class Beat {
  /** Identifies this beat among others. */
  readonly id: string = randomUUID()
  readonly #app: BeatHost
  readonly #options: BeatOptions
  readonly #logger: TaskLogger
  readonly #entries: ScheduledEntries
  readonly #pause: InterruptibleSleep
  readonly #firstSeen = new EntryStartTimes()
  #store: OpenSchedules | undefined
  #sender: OccurrenceSender | undefined
  #running: Promise<void> | undefined
  #stopping = false
  #isSynced = false
  #leads = false
  #revision = -1
  #isLoaded = false
  /** The store's clock at the last look, and this machine's. */
  #nowMs = 0
  #lookedAtMs = 0
  #leadUntilMs = 0
  #lastTickAtMs: number | undefined
  #sent = 0
  #missed = 0
  #loggedAtMs = Number.NEGATIVE_INFINITY

  constructor(lovage: AppWith<BeatHost>, options: BeatOptions = {}) {
    refuseUnknown(options, { logger: true, onTick: true } satisfies KnownMembers<BeatOptions>, 'a beat')
    const app = internalsOf(lovage)
    this.#app = app
    this.#options = options
    this.#logger = guardLogger(options.logger ?? app.logger)
    this.#entries = new ScheduledEntries(
      () => app.config().timezone,
      (entry, error) => {
        this.#logger.error(
          { err: error, entry: entry.name },
          `beat: the schedule of ${entry.name} fails; it is not sent until its entry changes or beat starts again`,
        )
      },
    )
    this.#pause = new InterruptibleSleep(app.clock)
  }

  /** What it does now, for health checks and metrics. */
  get status(): BeatStatus {
    const { nextMs } = this.#entries
    return {
      leads: this.#leads,
      entries: this.#entries.size,
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

  /** Send what is due now, and give leadership to another. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#pause.end()
    await this.#running?.catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(): Promise<void> {
    await this.#app.loadTaskModules()
    this.#app.periodic.all()
    this.#logger.info({ beat: this.id }, 'beat: Starting...')
    this.#warnMeaningless()
    try {
      while (!this.#stopping) await this.#pause.sleep(await this.#tick())
    } finally {
      await this.#leave()
    }
  }

  /** One look; resolves with how long to sleep. Never rejects but for good. */
  async #tick(): Promise<number> {
    try {
      const report = await this.#look()
      this.#loggedAtMs = Number.NEGATIVE_INFINITY
      this.#lastTickAtMs = this.#app.clock.now()
      this.#callHook(report)
    } catch (thrown) {
      const error = toError(thrown)
      const isMended = await this.#lose(error)
      if (!isMended && this.#isHopeless(error)) throw error
    }
    return this.#sleepMs()
  }

  #sleepMs(): number {
    const askedMs = this.#app.config().beatMaxLoopIntervalMs
    const longestMs = askedMs > 0 ? Math.min(askedMs, LOOK_MS) : LOOK_MS
    if (!this.#leads) return longestMs
    // What the look itself took is not slept once more.
    const passedMs = Math.max(0, this.#app.clock.now() - this.#lookedAtMs)
    return Math.max(1, Math.min(longestMs, this.#entries.nextMs - this.#nowMs - passedMs))
  }

  /** A hook that fails is no reason to send nothing. */
  #callHook(report: TickReport): void {
    try {
      this.#options.onTick?.(report)
    } catch (error) {
      this.#logger.error({ err: error }, 'beat: onTick failed')
    }
  }

  async #look(): Promise<TickReport> {
    const { schedules } = await this.#open()
    const { leads, nowMs, revision } = await schedules.lead(this.id, LEASE_MS)
    this.#lookedAtMs = this.#app.clock.now()
    this.#leadUntilMs = this.#lookedAtMs + LEASE_MS / 2
    const before = this.#nowMs
    this.#nowMs = nowMs
    if (leads !== this.#leads) this.#turn(leads)
    if (!leads) return { leads, sent: 0, missed: 0, entries: this.#entries.size }
    if (nowMs < before - JITTER_MS) this.#entries.rewind(nowMs)
    // A store that counts from the beginning again has lost what it had.
    const isNew = revision < this.#revision
    if (!this.#isSynced || isNew) await this.#sync(nowMs)
    if (!this.#isLoaded || revision !== this.#revision) await this.#load()
    this.#revision = revision
    this.#isLoaded = true
    const [sent, missed] = [this.#sent, this.#missed]
    await this.#sendDue(nowMs)
    return { leads, sent: this.#sent - sent, missed: this.#missed - missed, entries: this.#entries.size }
  }

  #turn(leads: boolean): void {
    this.#leads = leads
    this.#isLoaded = false
    this.#logger.info({ beat: this.id }, leads ? 'beat: leads' : 'beat: another one leads; waiting')
  }

  async #open(): Promise<OpenSchedules> {
    if (this.#store !== undefined) return this.#store
    const store = await openSchedules(this.#app, (damage) => {
      this.#setAside(damage)
    })
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
    this.#isSynced = true
    for (const { name, error } of report.failed)
      this.#logger.error({ err: error, entry: name }, `beat: cannot keep the entry "${name}"; it is not sent`)
    if (report.removed.length > 0)
      this.#logger.info(
        report,
        `beat: removed, as nothing declares them any more: ${report.removed.join(', ')}`,
      )
  }

  async #load(): Promise<void> {
    const { schedules } = await this.#open()
    const stored = this.#firstSeen.dated(await schedules.loadEntries(), this.#nowMs)
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
    this.#entries.load(entries)
  }

  async #sendDue(nowMs: number): Promise<void> {
    const deadlineMs = this.#app.config().beatCronStartingDeadlineMs
    for (const scheduled of this.#entries.dueAt(nowMs)) {
      const due = this.#entries.due(scheduled, { nowMs, deadlineMs })
      if (due === undefined) continue
      let { missed } = due
      for (const atMs of due.sendMs) {
        await this.#renew()
        if (!this.#leads) return
        // A backlog is left to whoever leads next.
        if (this.#stopping && due.sendMs.length > 1) break
        await this.#send(scheduled, atMs)
        // Once the store has answered: what is tried again would be counted again.
        this.#warnMissed(scheduled, missed)
        missed = 0
        this.#entries.done(scheduled, atMs)
      }
      this.#warnMissed(scheduled, missed)
      this.#entries.done(scheduled, due.doneMs)
    }
  }

  /** A long list is sent under a lease that holds. */
  async #renew(): Promise<void> {
    if (this.#app.clock.now() < this.#leadUntilMs || this.#store === undefined) return
    const { leads } = await this.#store.schedules.lead(this.id, LEASE_MS)
    this.#leadUntilMs = this.#app.clock.now() + LEASE_MS / 2
    if (!leads) this.#turn(false)
  }

  async #send({ entry }: ScheduledEntry, atMs: number): Promise<void> {
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

  #warnMeaningless(): void {
    const { beatMaxLoopIntervalMs: askedMs } = this.#app.config()
    if (askedMs <= LOOK_MS) return
    this.#logger.warn(
      { beatMaxLoopInterval: askedMs / 1000 },
      `beat: looks at the schedule every ${String(LOOK_MS / 1000)} s, whatever beatMaxLoopInterval says: so it keeps the lead and sees changes`,
    )
  }

  #warnMissed({ entry }: ScheduledEntry, missed: number): void {
    if (missed === 0) return
    this.#missed += missed
    this.#logger.warn(
      { entry: entry.name, missed, catchUp: entry.catchUp.policy },
      `beat: ${entry.name} has missed instants (catch-up: ${entry.catchUp.policy})`,
    )
  }

  /** @returns Whether the cause is out of the way. */
  async #lose(error: Error): Promise<boolean> {
    const nowMs = this.#app.clock.now()
    if (Math.abs(nowMs - this.#loggedAtMs) >= LOG_EVERY_MS) {
      this.#loggedAtMs = nowMs
      const { lastTickAgeMs } = this.status
      this.#logger.error({ err: error, lastTickAgeMs }, `beat: ${error.message}${inWords(lastTickAgeMs)}`)
    }
    this.#leads = false
    this.#isLoaded = false
    const store = this.#store
    this.#store = undefined
    await store?.close().catch(() => undefined)
    if (!(error instanceof StoreDamagedError) || store?.place !== 'file') return false
    this.#setAside(error)
    return true
  }

  /** Nobody else has the local file, and it holds nothing but schedules: begin anew, as Celery does. */
  #setAside(damage: StoreDamagedError): void {
    const { file } = damage
    const aside = keepDamagedFile(damage, this.#app.clock)
    this.#logger.error(
      { err: damage, file, aside },
      `beat: the schedule file ${file} is damaged: it is kept as ${aside}, and a new one is begun. ` +
        'Entries that were added at run time and the last run times are not in it.',
    )
  }

  /** Whether trying again cannot mend it. A store that worked before may be put right by somebody. */
  #isHopeless(error: Error): boolean {
    if (!(error instanceof LovageError) || error.code === 'LOVAGE_CONFIG') return true
    return error instanceof StoreDamagedError && this.#lastTickAtMs === undefined
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

function inWords(ageMs: number | undefined): string {
  return ageMs === undefined ? '' : `; the last look was ${String(Math.round(ageMs / 1000))} s ago`
}
