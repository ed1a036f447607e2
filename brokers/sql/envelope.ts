import type { Delivery, Route } from '../../src/broker/contract.js'
import type { Message, MessageProperties } from '../../src/message/message.js'
import { isRecord } from '../../src/util/record.js'
import type { ClaimedRow, ClaimKey } from './dialect/dialect.js'

const JSON_TYPE = 'application/json'
const UTF_8 = 'utf-8'

/** Everything of a message but its body, as the text of one column; what is usual is left out. */
export function encodeMeta(message: Message, route: Route, queue: string): string {
  const { headers, properties, contentType, contentEncoding } = message
  const direct = route.exchange === '' && route.routingKey === queue
  return JSON.stringify({
    headers,
    properties,
    ...(contentType !== JSON_TYPE && { contentType }),
    ...(contentEncoding !== UTF_8 && { contentEncoding }),
    ...(!direct && { exchange: route.exchange, routingKey: route.routingKey }),
  })
}

/** A claimed row as the core sees it. */
export function toDelivery(row: ClaimedRow, queue: string): Delivery {
  const meta = isRecord(row.meta) ? row.meta : {}
  return {
    message: {
      body: row.body,
      contentType: textOr(meta['contentType'], JSON_TYPE),
      contentEncoding: textOr(meta['contentEncoding'], UTF_8),
      headers: isRecord(meta['headers']) ? meta['headers'] : {},
      properties: isProperties(meta['properties']) ? meta['properties'] : {},
    },
    queue,
    route: { exchange: textOr(meta['exchange'], ''), routingKey: textOr(meta['routingKey'], queue) },
    deliveryCount: row.handouts - row.unspent,
    redelivered: row.handouts > 1,
    due: row.due,
    tag: `${row.id}:${row.claim}`,
  }
}

/** The claim that a delivery's tag names. */
export function claimKey(delivery: Delivery): ClaimKey {
  const colon = delivery.tag.indexOf(':')
  return { id: Number(delivery.tag.slice(0, colon)), claim: Number(delivery.tag.slice(colon + 1)) }
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

// Only encodeMeta writes it, from MessageProperties.
function isProperties(value: unknown): value is MessageProperties {
  return isRecord(value)
}
