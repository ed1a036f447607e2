import type { Delivery } from '../../src/broker/contract.js'
import { countOr, readEnvelope, rewriteEnvelope } from '../../src/broker/kombu-envelope.js'
import { isRecord } from '../../src/util/record.js'
import type { Marks } from './documents.js'

/** The envelope of a document; of anything but text, which neither Celery nor Lovage writes, its JSON. */
export function textOf(payload: unknown): string {
  return typeof payload === 'string' ? payload : JSON.stringify(payload ?? null)
}

/** A claimed message as the core sees it. @param marks - As they were before this claim. */
export function toDelivery(
  payload: string,
  marks: Marks,
  place: { readonly queue: string; readonly tag: string },
): Delivery {
  const { message, route, redelivered } = readEnvelope(payload, place.queue)
  return {
    message,
    route,
    ...place,
    deliveryCount: countOr(marks.spent) + 1,
    redelivered: countOr(marks.handouts) > 0 || redelivered,
    due: marks.due === true,
  }
}

/** The envelope with other headers; everything else keeps its value. */
export function withHeaders(payload: string, headers: Readonly<Record<string, unknown>>): string {
  return rewriteEnvelope(payload, (fields) => {
    const old = fields['headers']
    return { ...fields, headers: { ...(isRecord(old) ? old : {}), ...headers } }
  })
}
