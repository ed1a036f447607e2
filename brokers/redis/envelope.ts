import type { Delivery, HandBack, Route } from '../../src/broker/contract.js'
import {
  contentOf,
  countOr,
  isMarkedRedelivered,
  MARKS,
  parseEnvelope,
  recordOr,
  toText,
  writeEnvelope as writeKombuEnvelope,
} from '../../src/broker/kombu-envelope.js'
import type { Fields } from '../../src/broker/kombu-envelope.js'
import type { Message } from '../../src/message/message.js'
import { isRecord } from '../../src/util/record.js'
import { withMember } from './json-members.js'

/** What Lovage notes in the properties of a message that has been claimed or held; Celery's workers leave it alone. */
interface Marks {
  /** Claims that count. */
  readonly spent: number
  readonly handouts: number
  /** The store held it until its time. */
  readonly due: boolean
}

/** A message as it lies in a list. */
export interface Envelope {
  /** As it was read; `undefined` when it is not JSON of the right form, and then `text` is all there is. */
  readonly fields: Fields | undefined
  readonly text: string
}

const NO_MARKS: Marks = { spent: 0, handouts: 0, due: false }

/**
 * Write the envelope of a new message, with a delivery tag of its own.
 *
 * @param due - The store holds it until its due time.
 */
export function writeEnvelope(message: Message, route: Route, due = false): string {
  return writeKombuEnvelope(message, route, due ? { spent: 0, handouts: 0, due } : undefined)
}

/** The envelope for a channel, of a message that is in all queues of its exchange: who feeds them from the channel leaves it. */
export function writeQueuedEnvelope(message: Message, route: Route): string {
  return writeKombuEnvelope(message, route, { queued: true })
}

/** Whether an envelope came from {@link writeQueuedEnvelope}. */
export function isQueued({ fields }: Envelope): boolean {
  const marks = recordOr(fields?.['properties'])[MARKS]
  return isRecord(marks) && marks['queued'] === true
}

/** Read what lies in a list. */
export function readEnvelope(text: string): Envelope {
  return { fields: parseEnvelope(text), text }
}

/** A claimed envelope as the core sees it. One without form is delivered as bytes that nobody can decode. */
export function toDelivery({ fields, text }: Envelope, queue: string, tag: string): Delivery {
  const { spent, handouts, due } = marksOf(recordOr(fields?.['properties']))
  const { message, route } = contentOf(fields, text, queue)
  return {
    message,
    queue,
    route,
    deliveryCount: spent + 1,
    redelivered: handouts > 0 || isMarkedRedelivered(fields),
    due,
    tag,
  }
}

/** The envelope of a claimed message that goes back to its queue. */
export function giveBackEnvelope(envelope: Envelope, wish: Omit<HandBack, 'delivery' | 'delayMs'>): string {
  const { fields, text } = envelope
  if (fields === undefined) return text
  const properties = recordOr(fields['properties'])
  const marks = marksOf(properties)
  const next: Marks = {
    spent: marks.spent + (wish.unspent ? 0 : 1),
    handouts: marks.handouts + 1,
    due: marks.due || wish.notBeforeMs !== undefined,
  }
  const headers = withMember(text, 'headers', (old) => {
    let changed = withMember(objectOr(old), 'redelivered', () => 'true')
    for (const [name, value] of Object.entries(wish.headers ?? {})) {
      changed = withMember(changed, name, () => toText(value === undefined ? null : value))
    }
    return changed
  })
  return withMember(headers, 'properties', (old) => {
    const changed = withMember(objectOr(old), 'delivery_info', (info) =>
      withMember(objectOr(info), 'redelivered', () => 'true'),
    )
    return withMember(changed, MARKS, () => JSON.stringify(next))
  })
}

/** The priority that an envelope was sent with. */
export function priorityOf({ fields }: Envelope): number | undefined {
  const priority = recordOr(fields?.['properties'])['priority']
  return typeof priority === 'number' ? priority : undefined
}

function objectOr(text: string | undefined): string {
  return text?.startsWith('{') === true ? text : '{}'
}

function marksOf(properties: Fields): Marks {
  const marks = properties[MARKS]
  if (!isRecord(marks)) return NO_MARKS
  return { spent: countOr(marks['spent']), handouts: countOr(marks['handouts']), due: marks['due'] === true }
}
