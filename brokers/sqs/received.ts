import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { Message as SqsMessage } from '@aws-sdk/client-sqs'
import type { Delivery } from '../../src/broker/contract.js'
import type { Entry } from './batches.js'
import { isMarkedRedelivered, readEnvelope, toMessage } from './envelope.js'
import type { Envelope } from './envelope.js'
import { monotonicMs } from '../../src/util/monotonic.js'
import type { QueueRef } from './queue-ref.js'
import type { StallDetector } from './stall-detector.js'
import { toTag } from './tag.js'

/** A claimed message. */
export interface Received {
  readonly ref: QueueRef
  readonly handle: string
  readonly tag: string
  /** The claim holds until then, on the clock of the machine's threads. */
  readonly untilMs: number
  /** The service shows the message again then, whatever is asked. */
  readonly ceilingMs: number
  readonly envelope: Envelope
  readonly attributes: Entry['attributes']
  /** Queue and message group, on a FIFO queue: one of them is handed out at a time. */
  readonly group: string | undefined
  /** How often the service handed out this very message. */
  readonly receiveCount: number
}

/** What to receive. */
export interface ReceiveWish {
  readonly most: number
  readonly waitSeconds: number
  readonly leaseMs: number
  readonly ceilingMs: number
  readonly attributeNames: readonly string[]
  readonly signal: AbortSignal
  readonly stalls?: StallDetector
}

/** Claim up to ten messages of a queue. Rejects with a `SqsFailure`. */
export async function receive(ref: QueueRef, wish: ReceiveWish): Promise<readonly Received[]> {
  const { leaseMs, waitSeconds, attributeNames, signal } = wish
  const input = {
    QueueUrl: ref.url,
    MaxNumberOfMessages: wish.most,
    WaitTimeSeconds: waitSeconds,
    VisibilityTimeout: Math.max(1, Math.ceil(leaseMs / 1000)),
    MessageSystemAttributeNames: [
      'ApproximateReceiveCount' as const,
      'ApproximateFirstReceiveTimestamp' as const,
      'SentTimestamp' as const,
      ...(ref.isFifo ? ['MessageGroupId' as const] : []),
    ],
    ...(attributeNames.length > 0 && { MessageAttributeNames: [...attributeNames] }),
  }
  const askedMs = monotonicMs()
  const { Messages = [] } = await ref.service.ask(
    (client, options) => client.send(new ReceiveMessageCommand(input), options),
    { waitMs: waitSeconds * 1000, signal },
  )
  const { clock } = ref.service
  for (const { Attributes } of Messages) clock.note(Number(Attributes?.ApproximateFirstReceiveTimestamp))
  const stalledMs = wish.stalls?.since(askedMs) ?? Number.POSITIVE_INFINITY
  const shared = { askedMs, hereMs: monotonicMs(), now: clock.now(), stalledMs }
  return Messages.map((message) => toReceived(ref, message, wish, shared))
}

interface Moments {
  /** When the request was made and when its answer was read, on the clock of the machine's threads. */
  readonly askedMs: number
  readonly hereMs: number
  /** When its answer was read, at the service. */
  readonly now: number
  /** When this thread last ran before it stood still, if that was in between. */
  readonly stalledMs: number
}

/** How long an answer is taken to have been on its way, as a share of the lease. */
const TRAVEL_SHARE = 1 / 10

/**
 * When a claim began. Whoever waits for a message learns of it late if the thread was busy or the process stood still, so a
 * first claim is as old as the service says, and any may have come when that began; the request's beginning is the safe
 * answer where nothing was waited for.
 */
function claimedMs(message: SqsMessage, { waitSeconds, leaseMs }: ReceiveWish, moments: Moments): number {
  const { askedMs, hereMs, now, stalledMs } = moments
  if (waitSeconds === 0) return askedMs
  const { ApproximateReceiveCount, ApproximateFirstReceiveTimestamp } = message.Attributes ?? {}
  const first = ApproximateReceiveCount === '1' ? Number(ApproximateFirstReceiveTimestamp ?? now) : now
  const age = Math.max(now - first, leaseMs * TRAVEL_SHARE)
  return Math.max(askedMs, Math.min(hereMs - age, stalledMs))
}

function toReceived(ref: QueueRef, message: SqsMessage, wish: ReceiveWish, moments: Moments): Received {
  const { leaseMs, ceilingMs } = wish
  const fromMs = claimedMs(message, wish, moments)
  const sentMs = Number(message.Attributes?.SentTimestamp ?? moments.now)
  const handle = message.ReceiptHandle ?? ''
  const claim = { handle, untilMs: fromMs + leaseMs, ceilingMs: fromMs + ceilingMs }
  return {
    ...claim,
    ref,
    tag: toTag({ queue: ref.name, url: ref.url, ...claim }),
    envelope: readEnvelope(message.Body ?? '', sentMs),
    attributes: message.MessageAttributes,
    group: ref.isFifo ? `${ref.url} ${message.Attributes?.MessageGroupId ?? ''}` : undefined,
    receiveCount: Math.max(1, Number(message.Attributes?.ApproximateReceiveCount ?? 1)),
  }
}

/** Claims of this message that count, this one included. */
function spentCount({ envelope, receiveCount }: Received): number {
  return envelope.marks.spent + receiveCount
}

/** What the core gets. */
export function toDelivery(received: Received): Delivery {
  const { ref, tag, envelope, attributes, receiveCount } = received
  const { message, route } = toMessage(envelope, ref.name)
  const { properties } = message
  return {
    message:
      attributes === undefined
        ? message
        : {
            ...message,
            properties: { ...properties, extra: { ...properties.extra, message_attributes: attributes } },
          },
    queue: ref.name,
    route,
    deliveryCount: spentCount(received),
    redelivered: receiveCount > 1 || isMarkedRedelivered(envelope),
    due: envelope.marks.due,
    tag,
  }
}
