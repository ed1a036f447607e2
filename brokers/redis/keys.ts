/** How the keys of a broker are named. */
export interface Naming {
  /** Put before every key, as it is. */
  readonly prefix: string
  /** Between a queue's name and a priority step. */
  readonly separator: string
  /** Ascending; the first is served first. */
  readonly steps: readonly number[]
  readonly unackedKey: string
  readonly unackedIndexKey: string
  readonly unackedMutexKey: string
}

/**
 * The keys of one broker: kombu's, and Lovage's own under `_lovage.`.
 *
 * @source kombu 5.7, `kombu/transport/redis.py`, `Channel`.
 */
export class Keys {
  readonly unacked: string
  readonly unackedIndex: string
  readonly unackedMutex: string
  /** Names of the declared queues. */
  readonly queues: string
  /** Holders of claims by the end of their lease, in milliseconds. */
  readonly holders: string
  /** The queue that each holder waits for by a blocking move, as JSON. */
  readonly moves: string
  /** Queues with delayed messages, by the earliest due time. */
  readonly due: string
  /** Start of the names of the sets of delayed messages. */
  readonly delayedPrefix: string
  /** There while a worker promotes delayed messages. */
  readonly alive: string
  readonly deadlines: string
  /** Beat's leader, and the revision of its entries. */
  readonly beat: string
  readonly beatEntries: string
  /** The latest instant of each entry. */
  readonly beatLast: string
  readonly naming: Naming

  constructor(naming: Naming) {
    const { prefix } = naming
    this.naming = naming
    this.unacked = prefix + naming.unackedKey
    this.unackedIndex = prefix + naming.unackedIndexKey
    this.unackedMutex = prefix + naming.unackedMutexKey
    this.queues = `${prefix}_lovage.queues`
    this.holders = `${prefix}_lovage.holders`
    this.moves = `${prefix}_lovage.moves`
    this.due = `${prefix}_lovage.due`
    this.delayedPrefix = `${prefix}_lovage.delayed.`
    this.alive = `${prefix}_lovage.alive`
    this.deadlines = `${prefix}_kombu.binding_deadlines`
    this.beat = `${prefix}_lovage.beat`
    this.beatEntries = `${prefix}_lovage.beat.entries`
    this.beatLast = `${prefix}_lovage.beat.last`
  }

  /** What a holder has claimed. */
  claims(holder: string): string {
    return `${this.naming.prefix}_lovage.claims.${holder}`
  }

  /** What a blocking move has brought a holder, until it is recorded as claimed. */
  moved(holder: string): string {
    return `${this.naming.prefix}_lovage.moved.${holder}`
  }

  /** Occurrences of an entry that were sent, by their instants. */
  beatOccurrences(entry: string): string {
    return `${this.beat}.occurrences.${entry}`
  }

  /** Delayed messages of a queue. */
  delayed(queue: string): string {
    return this.delayedPrefix + queue
  }

  /** Bindings of a queue, for its deletion. */
  bindingsOf(queue: string): string {
    return `${this.naming.prefix}_lovage.bindings.${queue}`
  }

  /** Bindings of an exchange. */
  binding(exchange: string): string {
    return `${this.naming.prefix}_kombu.binding.${exchange}`
  }

  /** Bindings of an exchange whose queues do not expire. */
  permanentBinding(exchange: string): string {
    return `${this.naming.prefix}_kombu.binding_permanent.${exchange}`
  }

  /** Queues that are bound to an exchange of type fanout. */
  fanoutQueues(exchange: string): string {
    return `${this.naming.prefix}_lovage.fanout.${exchange}`
  }

  /** The sign that a queue has a message that was heard on a channel. */
  heard(queue: string, id: string): string {
    return `${this.naming.prefix}_lovage.heard.${queue}.${id}`
  }

  /** The step that a priority is rounded down to. */
  step(priority: number | undefined): number {
    const { steps } = this.naming
    const wanted = Math.min(9, Math.max(0, Math.trunc(priority ?? 0)))
    return steps.findLast((step) => step <= wanted) ?? steps[0] ?? 0
  }

  /** The list of a queue for one step. */
  list(queue: string, step: number): string {
    const { prefix, separator } = this.naming
    return step === 0 ? prefix + queue : `${prefix}${queue}${separator}${String(step)}`
  }

  /** All lists of a queue, served in this order. */
  lists(queue: string): readonly string[] {
    return this.naming.steps.map((step) => this.list(queue, step))
  }
}
