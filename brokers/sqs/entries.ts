import { randomUUID } from 'node:crypto'
import type { MessageAttributeValue } from '@aws-sdk/client-sqs'
import type { Outgoing } from '../../src/broker/contract.js'
import { isRecord } from '../../src/util/record.js'
import type { Entry } from './batches.js'
import { encodeBody } from './body-encoding.js'
import { propertyOf, rewriteEnvelope, writeEnvelope } from './envelope.js'
import type { Envelope, Marks } from './envelope.js'
import type { QueueRef } from './queue-ref.js'

/** Longest that the service holds a message from its sending on, in seconds. */
const LONGEST_DELAY = 900

/** How messages become entries of a batch. */
export interface EntryForm {
  readonly isBase64: boolean
  /** The present moment at the service, or a later one, in epoch milliseconds. */
  readonly now: number
}

/** A new message for a queue. */
export function newEntry(outgoing: Outgoing, ref: QueueRef, form: EntryForm): Entry {
  const { message, route } = outgoing
  const { delayMs, notBeforeMs: at } = outgoing
  const isDelayed = at !== undefined || delayMs !== undefined
  const marks = isDelayed ? { spent: 0, handouts: 0, due: true, at, delayMs } : undefined
  const extra = message.properties.extra ?? {}
  // Celery's names for the service's own delay; the first wins.
  const asked = isDelayed ? undefined : numberOr(extra['delay_seconds'] ?? extra['DelaySeconds'])
  return toEntry(ref, writeEnvelope(message, route, marks), form, {
    delaySeconds: asked ?? delaySeconds(marks, form.now),
    groupId: textOf(extra['MessageGroupId']),
    deduplicationId: textOf(extra['MessageDeduplicationId']),
    attributes: attributesOf(extra['message_attributes']),
  })
}

/** A message that replaces one that was claimed. */
export function againEntry(
  { envelope, ref, attributes }: { envelope: Envelope; ref: QueueRef; attributes: Entry['attributes'] },
  next: { readonly marks: Marks; readonly headers?: Readonly<Record<string, unknown>> | undefined },
  form: EntryForm,
): Entry {
  return toEntry(ref, rewriteEnvelope(envelope, next.marks, next.headers), form, {
    delaySeconds: delaySeconds(next.marks, form.now),
    groupId: propertyOf(envelope, 'MessageGroupId'),
    // The one it was sent with would make this one a double.
    deduplicationId: undefined,
    attributes,
  })
}

function toEntry(
  ref: QueueRef,
  envelope: string,
  form: EntryForm,
  wish: Pick<Entry, 'delaySeconds' | 'groupId' | 'deduplicationId' | 'attributes'>,
): Entry {
  const body = encodeBody(envelope, form.isBase64)
  const { attributes, groupId, deduplicationId } = wish
  return {
    ref,
    body,
    attributes,
    // On a FIFO queue the receiver keeps it until its time.
    delaySeconds: ref.isFifo ? 0 : Math.min(LONGEST_DELAY, Math.max(0, Math.floor(wish.delaySeconds))),
    groupId: groupId ?? (ref.isFifo ? 'default' : undefined),
    deduplicationId: ref.isFifo ? (deduplicationId ?? randomUUID()) : undefined,
    bytes: Buffer.byteLength(body) + sizeOf(attributes),
  }
}

/** Whole seconds that are surely over by then: the receiver waits for the rest. */
function delaySeconds(marks: Pick<Marks, 'at' | 'delayMs'> | undefined, now: number): number {
  return Math.floor((marks?.delayMs ?? (marks?.at ?? now) - now) / 1000)
}

function attributesOf(value: unknown): Entry['attributes'] {
  if (!isRecord(value)) return undefined
  const attributes: Record<string, MessageAttributeValue> = {}
  for (const [name, one] of Object.entries(value)) {
    if (!isRecord(one)) continue
    const { DataType, StringValue } = one
    if (typeof DataType === 'string') attributes[name] = { DataType, StringValue: String(StringValue) }
  }
  return Object.keys(attributes).length === 0 ? undefined : attributes
}

function sizeOf(attributes: Entry['attributes']): number {
  let bytes = 0
  for (const [name, { DataType = '', StringValue = '' }] of Object.entries(attributes ?? {})) {
    bytes += Buffer.byteLength(name + DataType + StringValue)
  }
  return bytes
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOr(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
