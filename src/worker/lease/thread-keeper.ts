import { Worker as Thread } from 'node:worker_threads'
import type { TaskLogger } from '../../task/logger.js'
import { backoffMs } from '../../util/backoff.js'
import { withDeadline } from '../../util/deadline.js'
import { LovageError } from '../../errors/errors.js'
import { isFromKeeper, type KeeperStart, type ToKeeper } from './keeper-messages.js'
import type { HeldLease, LeaseKeeper, TagChange } from '../../broker/lease-keeper.js'

const RESTART = { firstMs: 100, maxMs: 5_000 }
const STOP_LIMIT_MS = 2_000

/** A holder, and its claims as the thread knows them. */
interface Held {
  readonly lease: HeldLease
  readonly tags: Set<string>
  readonly isReconciled: boolean
}

/**
 * Renews claims from a thread of its own with its own connection, so that a body which blocks the event loop keeps its
 * message. A thread that dies is started again.
 */
export class ThreadKeeper implements LeaseKeeper {
  readonly #start: KeeperStart
  readonly #logger: TaskLogger
  /** What a thread that is started again has to know. */
  readonly #held = new Map<string, Held>()
  #thread: Thread
  #deaths = 0
  #restarting: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(start: KeeperStart, logger: TaskLogger) {
    this.#start = start
    this.#logger = logger
    this.#thread = this.#spawn()
  }

  /** The thread's id, to tell one thread from its successor. */
  get threadId(): number {
    return this.#thread.threadId
  }

  hold(lease: HeldLease): void {
    this.#held.set(lease.holder, { lease, tags: new Set(), isReconciled: false })
    this.#tell({ kind: 'hold', holder: lease.holder })
  }

  changed(holder: string, { added, removed }: TagChange): void {
    const held = this.#held.get(holder)
    for (const tag of added) held?.tags.add(tag)
    for (const tag of removed) held?.tags.delete(tag)
    this.#tell({ kind: 'tags', holder, added, removed })
  }

  reconcile(holder: string, tags: readonly string[]): void {
    const held = this.#held.get(holder)
    if (held !== undefined) this.#held.set(holder, { ...held, tags: new Set(tags), isReconciled: true })
    this.#tell({ kind: 'reconcile', holder, tags })
  }

  release(holder: string): void {
    this.#held.delete(holder)
    this.#tell({ kind: 'release', holder })
  }

  /** End the thread as a crash would: it is started again. */
  async kill(): Promise<void> {
    await this.#thread.terminate()
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    clearTimeout(this.#restarting)
    const thread = this.#thread
    const ended = new Promise<void>((resolve) => {
      thread.once('exit', () => resolve())
    })
    this.#tell({ kind: 'stop' })
    try {
      await withDeadline(ended, { ms: STOP_LIMIT_MS, late: () => new LovageError('the keeper did not end') })
    } catch {
      await thread.terminate()
    }
  }

  #spawn(): Thread {
    const thread = new Thread(new URL('./keeper-thread.js', import.meta.url), {
      workerData: this.#start,
      // Flags of the main thread (loaders, inspectors) are not for this one.
      execArgv: [],
      name: 'lovage-leases',
    })
    thread.unref()
    thread.on('message', (message: unknown) => this.#receive(message))
    thread.on('error', (error) => {
      this.#logger.error({ err: error }, 'the thread that renews claims failed')
    })
    thread.once('exit', () => this.#died(thread))
    return thread
  }

  #receive(message: unknown): void {
    if (!isFromKeeper(message)) return
    switch (message.kind) {
      case 'ready':
        this.#deaths = 0
        return
      case 'lost':
        this.#held
          .get(message.holder)
          ?.lease.lost(message.tags === undefined ? undefined : new Set(message.tags))
        return
      case 'trouble':
        this.#logger.warn(
          { nextMs: message.nextMs },
          `claims could not be renewed: ${message.message}; trying again in ${message.nextMs} ms`,
        )
    }
  }

  #died(thread: Thread): void {
    if (this.#isStopped || thread !== this.#thread) return
    const delayMs = backoffMs(this.#deaths, RESTART)
    this.#deaths += 1
    this.#logger.error({ delayMs }, `the thread that renews claims ended; starting another in ${delayMs} ms`)
    this.#restarting = setTimeout(() => {
      this.#thread = this.#spawn()
      for (const [holder, { tags, isReconciled }] of this.#held) {
        this.#tell({ kind: 'hold', holder })
        if (isReconciled) this.#tell({ kind: 'reconcile', holder, tags: [...tags] })
        else this.#tell({ kind: 'tags', holder, added: [...tags], removed: [] })
      }
    }, delayMs)
    this.#restarting.unref()
  }

  #tell(message: ToKeeper): void {
    this.#thread.postMessage(message)
  }
}
