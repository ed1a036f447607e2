import { matchBindings } from '../../src/broker/routing.js'
import type { BoundQueue } from '../../src/broker/routing.js'
import type { Binding, ExchangeType, Outgoing, QueueSpec } from '../../src/broker/contract.js'
import { isRecord } from '../../src/util/record.js'
import { parsedJson } from '../../src/util/parsed-json.js'
import type { SqlDialect } from './dialect/dialect.js'
import type { SqlSession, SqlRow } from './sql-session.js'

const TYPES: readonly ExchangeType[] = ['direct', 'topic', 'fanout', 'headers']

/**
 * The queues and bindings of a database, as far as this process knows them.
 *
 * Every change of them raises a version number in the same transaction, so one small read tells whether what is known
 * still holds.
 */
export class Topology {
  #version = -1
  #queues: ReadonlySet<string> = new Set()
  #bindings: readonly BoundQueue[] = []

  /** The version of what is known; below 0 when nothing is. */
  get version(): number {
    return this.#version
  }

  /** Whether what is known is what the session sees. */
  async isCurrent(session: SqlSession): Promise<boolean> {
    return (await versionIn(session)) === this.#version
  }

  /** Know what another one knows. */
  copy(other: Topology): void {
    this.#version = other.#version
    this.#queues = other.#queues
    this.#bindings = other.#bindings
  }

  /** Read again if another process changed something. */
  async refresh(session: SqlSession): Promise<void> {
    const version = await versionIn(session)
    if (version === this.#version) return
    const queues = await session.all('SELECT name FROM {queue}')
    const bindings = await session.all(
      'SELECT queue, exchange, type, routing_key, arguments FROM {binding} ORDER BY id',
    )
    this.#queues = new Set(queues.map(([name]) => String(name)))
    this.#bindings = bindings.map(boundQueue)
    this.#version = version
  }

  /** Queues that an outgoing message reaches, as of the last `refresh`. */
  reached({ route, message }: Outgoing): readonly string[] {
    if (route.exchange !== '') return matchBindings(this.#bindings, route, message.headers)
    return this.#queues.has(route.routingKey) ? [route.routingKey] : []
  }

  /** Whether the queue and all of its bindings are there, as of the last `refresh`. */
  has(spec: QueueSpec): boolean {
    if (!this.#queues.has(spec.name)) return false
    const known = new Set(
      this.#bindings.filter(({ queue }) => queue === spec.name).map(({ binding }) => bindingKey(binding)),
    )
    return spec.bindings.every((binding) => known.has(bindingKey(binding)))
  }

  /** Names of the queues, as of the last `refresh`. */
  get queues(): readonly string[] {
    return [...this.#queues]
  }
}

async function versionIn(session: SqlSession): Promise<number> {
  const [row] = await session.all('SELECT version FROM {topology}')
  return Number(row?.[0])
}

/** Make the queue and the bindings that are missing. */
export async function declareQueue(session: SqlSession, spec: QueueSpec): Promise<void> {
  const { name, lifetime, expiresMs = null } = spec
  await session.change((knex, names) =>
    knex(names.queue).insert({ name, lifetime, expires_ms: expiresMs }).onConflict('name').merge(),
  )
  for (const binding of spec.bindings) {
    const row = {
      queue: name,
      exchange: binding.exchange,
      type: binding.type,
      routing_key: binding.routingKey,
      arguments: JSON.stringify(binding.arguments ?? {}),
    }
    await session.change((knex, names) =>
      knex(names.binding).insert(row).onConflict(Object.keys(row)).ignore(),
    )
  }
  await changed(session)
}

/** Remove the queue, its bindings and its messages, claimed ones too. */
export async function deleteQueue(session: SqlSession, dialect: SqlDialect, name: string): Promise<void> {
  await dialect.queue.drop(session, name, 'all')
  await session.change((knex, names) => knex(names.binding).where({ queue: name }).delete())
  await session.change((knex, names) => knex(names.queue).where({ name }).delete())
  await changed(session)
}

async function changed(session: SqlSession): Promise<void> {
  await session.run('UPDATE {topology} SET version = version + 1')
}

function boundQueue(row: SqlRow): BoundQueue {
  const [queue, exchange, type, routingKey, text] = row.map(String)
  const parsed = parsedJson(text)
  return {
    queue: queue ?? '',
    binding: {
      exchange: exchange ?? '',
      type: TYPES.find((known) => known === type) ?? 'direct',
      routingKey: routingKey ?? '',
      ...(isRecord(parsed) && Object.keys(parsed).length > 0 && { arguments: parsed }),
    },
  }
}

function bindingKey(binding: Binding): string {
  return JSON.stringify([binding.exchange, binding.type, binding.routingKey, binding.arguments ?? {}])
}
