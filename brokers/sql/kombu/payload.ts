import {
  countOr,
  envelopeProperties,
  MARKS,
  readEnvelope,
  rewriteEnvelope,
  writeEnvelope,
} from '../../../src/broker/kombu-envelope.js'
import { isRecord } from '../../../src/util/record.js'
import type { ClaimedRow, NewMessage } from '../dialect/dialect.js'
import { decodeMeta } from '../envelope.js'

/** What a message has behind it when it goes back among those that Celery's workers take too. */
export interface Marks {
  /** Claims so far. */
  readonly handouts: number
  /** Claims that do not count. */
  readonly unspent: number
  /** The store held it until its time. */
  readonly due: boolean
}

/** A new message as kombu writes it. */
export function payloadOf({ meta, body, queue }: NewMessage): string {
  const { message, route } = decodeMeta(JSON.parse(meta), body, queue)
  return writeEnvelope(message, route)
}

/**
 * A message of which Lovage has claimed or held the envelope, as the core sees it.
 *
 * @param row - Its `meta` is the envelope's text; its counts begin where those in the envelope end.
 */
export function unwrapped(row: ClaimedRow, queue: string): ClaimedRow {
  const payload = String(row.meta)
  const { message, route, redelivered } = readEnvelope(payload, queue)
  const { body, ...meta } = message
  const before = marksIn(payload)
  // Celery does not count what it gives back.
  const foreign = redelivered && before.handouts === 0 ? 1 : 0
  return {
    ...row,
    handouts: row.handouts + before.handouts + foreign,
    unspent: row.unspent + before.unspent + foreign,
    due: row.due || before.due,
    meta: { ...meta, ...route },
    body,
  }
}

/** The envelope of a message that goes back to its queue, with what has happened since it was taken from there. */
export function returned(payload: string, since: Marks): string {
  const before = marksIn(payload)
  const marks: Marks = {
    handouts: before.handouts + since.handouts,
    unspent: before.unspent + since.unspent,
    due: before.due || since.due,
  }
  return rewriteEnvelope(payload, (fields) => {
    const { properties } = fields
    const old = isRecord(properties) ? properties : {}
    const info = isRecord(old['delivery_info']) ? old['delivery_info'] : {}
    if (marks.handouts === 0) return { ...fields, properties: { ...old, [MARKS]: marks } }
    const delivery_info = { ...info, redelivered: true }
    return { ...fields, redelivered: true, properties: { ...old, delivery_info, [MARKS]: marks } }
  })
}

/** The envelope with the headers of `meta`, which the core has changed. */
export function withHeadersOf(payload: string, meta: string): string {
  const changed: unknown = JSON.parse(meta)
  const headers = isRecord(changed) ? changed['headers'] : undefined
  return rewriteEnvelope(payload, (fields) => ({ ...fields, headers }))
}

function marksIn(payload: string): Marks {
  const marks = envelopeProperties(payload)[MARKS]
  if (!isRecord(marks)) return { handouts: 0, unspent: 0, due: false }
  return {
    handouts: countOr(marks['handouts']),
    unspent: countOr(marks['unspent']),
    due: marks['due'] === true,
  }
}
