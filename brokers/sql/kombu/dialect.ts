import type {
  ClaimedRow,
  ClaimKey,
  ClaimRequest,
  GiveBack,
  NewMessage,
  QueueDialect,
  QueueStatus,
  RemoveOutcome,
  SqlDialect,
} from '../dialect/dialect.js'
import { ConfigError } from '../../../src/errors/errors.js'
import { parsedJson } from '../../../src/util/parsed-json.js'
import type { SqlSession } from '../sql-session.js'
import { KOMBU_FLAVOURS } from './flavours.js'
import type { KombuFlavour } from './flavours.js'
import { payloadOf, returned, unwrapped, withHeadersOf } from './payload.js'
import type { Marks } from './payload.js'
import { addVisible, anyVisible, countVisible, dropQueue, queueNames, takeVisible } from './tables.js'

const NO_BODY = new Uint8Array()
const RETURN_AT_ONCE = 1000

/**
 * The queue in kombu's tables, which workers of Celery serve as well.
 *
 * What waits is in kombu's table. A claim moves it, in one transaction, into the table that Lovage has for its own queues,
 * where leases, tokens and delays are what they are everywhere; what is freed or due moves back. So a worker that dies
 * loses nothing, and Celery sees only what it may take.
 */
export function kombuDialect(base: SqlDialect): SqlDialect {
  const flavour = KOMBU_FLAVOURS.get(base.name)
  if (flavour === undefined) throw new ConfigError(`kombu's tables are not known on ${base.name}`)
  const queue = new KombuQueue(base.queue, flavour)
  const { holders } = base
  // What goes in one statement elsewhere takes the way through kombu's table.
  const { atOnce: _none, ...stepwise } = base
  return {
    ...stepwise,
    queue,
    holders: {
      ...holders,
      reap: (session, except, endedBeforeMs) =>
        queue.freeing(session, () => holders.reap(session, except, endedBeforeMs)),
      close: async (session, holder) => {
        await holders.close(session, holder)
        await queue.return(session)
      },
    },
    schema: { ...base.schema, shared: flavour },
  }
}

class KombuQueue implements QueueDialect {
  readonly foreignQueues = queueNames
  readonly #base: QueueDialect
  readonly #flavour: KombuFlavour

  constructor(base: QueueDialect, flavour: KombuFlavour) {
    this.#base = base
    this.#flavour = flavour
  }

  remove(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<RemoveOutcome> {
    return this.#base.remove(session, holder, claims)
  }

  removeHeld(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<readonly ClaimKey[]> {
    return this.#base.removeHeld(session, holder, claims)
  }

  lost(session: SqlSession, holder: number, claims: readonly ClaimKey[]): Promise<readonly ClaimKey[]> {
    return this.#base.lost(session, holder, claims)
  }

  async countReady(session: SqlSession, queue: string): Promise<number> {
    return (await this.#base.countReady(session, queue)) + (await countVisible(session, this.#flavour, queue))
  }

  async drop(session: SqlSession, queue: string, which: 'waiting' | 'all'): Promise<number> {
    return (
      (await this.#base.drop(session, queue, which)) +
      (await dropQueue(session, this.#flavour, { queue, which }))
    )
  }

  async promote(session: SqlSession): Promise<number> {
    return this.freeing(session, () => this.#base.promote(session))
  }

  async insert(session: SqlSession, messages: readonly NewMessage[]): Promise<void> {
    const ready = messages.filter(({ hold }) => hold === undefined)
    await addVisible(
      session,
      this.#flavour,
      ready.map((message) => ({ queue: message.queue, payload: payloadOf(message) })),
    )
    const held = messages.filter(({ hold }) => hold !== undefined)
    if (held.length === 0) return
    await this.#base.insert(
      session,
      held.map((message) => ({ ...message, ...kept(payloadOf(message)) })),
    )
  }

  async look(session: SqlSession, queues: readonly string[], holder: number): Promise<QueueStatus> {
    const status = await this.#base.look(session, queues, holder)
    return status.ready ? status : { ...status, ready: await anyVisible(session, this.#flavour, queues) }
  }

  async claim(session: SqlSession, request: ClaimRequest): Promise<readonly ClaimedRow[]> {
    const { queue } = request
    const payloads = await takeVisible(session, this.#flavour, request)
    const taken = payloads.map((payload) => ({ queue, ...kept(payload) }))
    // They are claimed before anybody sees them, so nobody is to be woken.
    if (taken.length > 0) await this.#base.insert(unheard(session), taken)
    const rows = await this.#base.claim(session, request)
    return rows.map((row) => unwrapped(row, queue))
  }

  async giveBack(session: SqlSession, holder: number, item: GiveBack): Promise<boolean> {
    const { meta: changed, ...rest } = item
    const payload = changed === undefined ? undefined : await readPayload(session, holder, item)
    const isHeld = await this.#base.giveBack(session, holder, {
      ...rest,
      ...(changed !== undefined &&
        payload !== undefined && { meta: kept(withHeadersOf(payload, changed)).meta }),
    })
    if (isHeld && item.hold === undefined) await this.return(session)
    return isHeld
  }

  /** Do `work`, which may free rows, and put those back where workers of Celery see them. */
  async freeing(session: SqlSession, work: () => Promise<number>): Promise<number> {
    const freed = await work()
    if (freed > 0) await this.return(session)
    return freed
  }

  /** Put what can be claimed again where workers of Celery see it too. */
  async return(session: SqlSession): Promise<void> {
    for (;;) {
      const rows = await session.rows((knex, names) => {
        const free = knex(names.message)
          .select('id', 'queue', 'deliveries', 'unspent', 'due', 'meta')
          .whereNull('holder')
          .whereNull('due_ms')
          .orderBy('id')
          .limit(RETURN_AT_ONCE)
        return this.#flavour.skipsLocked ? free.forUpdate().skipLocked() : free
      })
      const freed = rows.map(({ queue, deliveries, unspent, due, meta }) => ({
        queue: String(queue),
        payload: returnedOrSame(payloadIn(meta), {
          handouts: Number(deliveries),
          unspent: Number(unspent),
          due: Number(due) === 1,
        }),
      }))
      await addVisible(session, this.#flavour, freed)
      const ids = rows.map(({ id }) => Number(id))
      await session.change((knex, names) => knex(names.message).whereIn('id', ids).delete())
      if (rows.length < RETURN_AT_ONCE) return
    }
  }
}

/** An envelope in the columns that Lovage's own queue has for a message. */
function kept(payload: string): Pick<NewMessage, 'meta' | 'body' | 'priority'> {
  return { meta: JSON.stringify(payload), body: NO_BODY, priority: 0 }
}

function payloadIn(meta: unknown): string {
  return String(parsedJson(meta) ?? meta)
}

/** One that cannot be written again goes back as it came: it must not keep all others from going back. */
function returnedOrSame(payload: string, since: Marks): string {
  try {
    return returned(payload, since)
  } catch {
    return payload
  }
}

async function readPayload(
  session: SqlSession,
  holder: number,
  { id, claim }: GiveBack,
): Promise<string | undefined> {
  const [row] = await session.rows((knex, names) =>
    knex(names.message).select('meta').where({ id, holder, claim }),
  )
  return row === undefined ? undefined : payloadIn(row['meta'])
}

function unheard(session: SqlSession): SqlSession {
  return {
    all: (sql, parameters) => session.all(sql, parameters),
    run: (sql, parameters) => session.run(sql, parameters),
    rows: (make) => session.rows(make),
    change: (make) => session.change(make),
    announce: () => undefined,
  }
}
