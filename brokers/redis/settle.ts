import type { Delivery, Outgoing, Settlement } from '../../src/broker/contract.js'
import { readEnvelope } from './envelope.js'
import type { Keys } from './keys.js'
import type { Argument, RedisConnection } from './connection.js'
import { SETTLE } from './lua/settle.js'
import { giveBackOperation } from './operations.js'
import type { Operation } from './operations.js'
import { unroutable } from '../../src/broker/routing.js'
import type { Publisher } from './publisher.js'
import { listOf, textOf } from './reply.js'
import { afterInspection } from './result-writer.js'
import type { ResultWriter } from './result-writer.js'
import { toScript } from './script.js'
import { append } from '../../src/util/long-list.js'

/** Whose claims are settled, and with what. */
export interface SettleParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly holder: string
  readonly publisher: Publisher
  /** The result backend, if it is on the same server. */
  readonly writer: ResultWriter | undefined
  /** Envelopes by tag, as they were claimed. */
  readonly unsettled: ReadonlyMap<string, string>
}

interface Claim {
  readonly tag: string
  readonly operations: readonly Operation[]
}

/** First in the script's answer: positions of lost claims follow. */
const LOST = 0
/** Keys of results follow that the script cannot read. */
const OPAQUE = 2
const NOTHING: readonly Operation[] = []
const settleScript = toScript(SETTLE)

/**
 * Apply settlements in one script: acknowledgement or hand-back, follow-up messages, results.
 *
 * @returns The deliveries whose claim was lost; nothing of those is applied.
 * @throws `PublishError` when a follow-up message reaches no queue; then nothing at all is applied.
 */
export async function applySettlements(
  parts: SettleParts,
  settlements: readonly Settlement[],
): Promise<readonly Delivery[]> {
  const claims: Claim[] = []
  for (const settlement of settlements) {
    const { publish, delivery } = settlement
    // Most send nothing: a promise for each would cost more than the rest of this.
    const sending = publish.length === 0 ? NOTHING : await publishing(parts, publish)
    claims.push({ tag: delivery.tag, operations: operationsOf(parts, settlement, sending) })
  }
  const refusedBy = (positions: readonly number[]): readonly Outgoing[] =>
    positions.flatMap((position) => settlements[position]?.publish ?? [])
  let [outcome, positions] = await settleClaims(parts, claims)
  if (outcome !== LOST && (await parts.publisher.declareAgain(refusedBy(positions)))) {
    ;[outcome, positions] = await settleClaims(parts, claims)
  }
  if (settlements.some(({ publish, handBack }) => publish.length > 0 || handBack !== undefined)) {
    parts.connection.listening.changedHere()
  }
  if (outcome === LOST) return positions.flatMap((position) => settlements[position]?.delivery ?? [])
  const batch = refusedBy(positions)
  throw unroutable(
    batch,
    batch.map((_, index) => index),
  )
}

/** Run the script; again when it found results that it cannot read. */
async function settleClaims(
  parts: SettleParts,
  claims: readonly Claim[],
): Promise<readonly [outcome: number, positions: readonly number[]]> {
  const { connection, keys, writer } = parts
  const home = connection.target.database
  const database = writer?.database ?? home
  const args: Argument[] = [keys.delayedPrefix, database === home ? '' : database, home]
  for (const { tag, operations } of claims) {
    args.push(tag, operations.length)
    for (const operation of operations) for (const argument of operation) args.push(argument)
  }
  const scriptKeys = [keys.queues, keys.due, keys.unacked, keys.unackedIndex, keys.claims(parts.holder)]
  const [outcome = LOST, ...rest] = listOf(await connection.runAtOnce(settleScript, scriptKeys, args))
  if (Number(outcome) !== OPAQUE || writer === undefined) return [Number(outcome), rest.map(Number)]
  const inspected = await writer.inspect(rest.map(textOf))
  return settleClaims(
    parts,
    claims.map(({ tag, operations }) => ({ tag, operations: afterInspection(operations, inspected) })),
  )
}

/** What sends the follow-up messages of one task. */
async function publishing(parts: SettleParts, publish: readonly Outgoing[]): Promise<readonly Operation[]> {
  const operations: Operation[] = []
  for (const own of await parts.publisher.operations(publish)) {
    if (own.length === 0) throw unroutable(publish, [publish.length - 1])
    append(operations, own)
  }
  return operations
}

function operationsOf(
  parts: SettleParts,
  { delivery, record, recordTtlMs, handBack }: Settlement,
  sending: readonly Operation[],
): readonly Operation[] {
  const hasRecord = record !== undefined && parts.writer !== undefined
  if (handBack === undefined && !hasRecord) return sending
  const operations = [...sending]
  if (handBack !== undefined) {
    // Without it the claim is one that this consumer does not hold any more, and the script finds that.
    const envelope = readEnvelope(parts.unsettled.get(delivery.tag) ?? '')
    operations.push(giveBackOperation(parts.keys, { envelope, queue: delivery.queue }, handBack))
  }
  if (hasRecord) operations.push(parts.writer.storeOperation(record, recordTtlMs ?? 0))
  return operations
}
