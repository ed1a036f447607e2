import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs'
import type { BatchResultErrorEntry, MessageAttributeValue } from '@aws-sdk/client-sqs'
import { failpoint } from '../../src/util/failpoint.js'
import { SqsFailure, kindOf, toFailure } from './failure.js'
import type { QueueRef } from './queue-ref.js'
import { groupBy, toBatches, sideBySide } from './batching.js'

/** A message to send. */
export interface Entry {
  readonly ref: QueueRef
  readonly body: string
  readonly delaySeconds: number
  readonly groupId: string | undefined
  readonly deduplicationId: string | undefined
  readonly attributes: Record<string, MessageAttributeValue> | undefined
  /** With attributes, in bytes. */
  readonly bytes: number
}

/** A claim that stays, for so many seconds from now on. */
export interface Visibility {
  readonly ref: QueueRef
  readonly handle: string
  readonly seconds: number
}

/** A claim that ends with its message. */
export interface Deletion {
  readonly ref: QueueRef
  readonly handle: string
}

/** What became of each item: `undefined` when it was done. */
export type Outcomes<Item> = Map<Item, SqsFailure | undefined>

/** Most requests of one call under way at once. */
const SIDE_BY_SIDE = 8
/** Largest batch in bytes, where no single message is larger. */
const BATCH_BYTES = 256 * 1024

interface Answer {
  readonly Failed?: BatchResultErrorEntry[] | undefined
}

/** Send messages; those to one FIFO queue one batch after the other. Never rejects. */
export async function sendAll(entries: readonly Entry[]): Promise<Outcomes<Entry>> {
  return inBatches(entries, {
    isOrdered: true,
    most: BATCH_BYTES,
    sizeOf: ({ bytes }) => bytes,
    request: async ({ url: QueueUrl, service }, batch) =>
      service.ask((client, options) =>
        client.send(new SendMessageBatchCommand({ QueueUrl, Entries: batch.map(toSend) }), options),
      ),
  })
}

/** Change for how long claims last. Never rejects. */
export async function changeAll(items: readonly Visibility[]): Promise<Outcomes<Visibility>> {
  return inBatches(items, {
    request: async ({ url: QueueUrl, service }, batch) => {
      const Entries = batch.map(({ handle, seconds }, index) => ({
        Id: String(index),
        ReceiptHandle: handle,
        VisibilityTimeout: seconds,
      }))
      return service.ask((client, options) =>
        client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }), options),
      )
    },
  })
}

/** Delete claimed messages. Never rejects. */
export async function deleteAll<Item extends Deletion>(items: readonly Item[]): Promise<Outcomes<Item>> {
  return inBatches(items, {
    request: async ({ url: QueueUrl, service }, batch) => {
      const Entries = batch.map(({ handle }, index) => ({ Id: String(index), ReceiptHandle: handle }))
      failpoint('sqs.before-delete')
      return service.ask((client, options) =>
        client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), options),
      )
    },
  })
}

interface BatchWork<Item> {
  /** Batches to one FIFO queue go one after the other, and end with one that could not be sent. */
  readonly isOrdered?: boolean
  readonly most?: number
  readonly sizeOf?: (item: Item) => number
  readonly request: (ref: QueueRef, batch: readonly Item[]) => Promise<Answer>
}

async function inBatches<Item extends { readonly ref: QueueRef }>(
  items: readonly Item[],
  work: BatchWork<Item>,
): Promise<Outcomes<Item>> {
  const outcomes: Outcomes<Item> = new Map()
  const lanes: (readonly (readonly Item[])[])[] = []
  for (const [, own] of groupBy(items, (item) => item.ref.url)) {
    const batches = toBatches(own, work.most, work.sizeOf)
    if (work.isOrdered === true && own[0]?.ref.isFifo === true) lanes.push(batches)
    else for (const batch of batches) lanes.push([batch])
  }
  await sideBySide(lanes, SIDE_BY_SIDE, async (lane) => {
    let failure: SqsFailure | undefined
    for (const batch of lane) {
      // What follows one that was not sent would overtake it.
      if (failure === undefined) await oneBatch(batch, work, outcomes)
      else for (const item of batch) outcomes.set(item, failure)
      failure ??= batch.map((item) => outcomes.get(item)).find((one) => one?.kind === 'unavailable')
    }
  })
  return outcomes
}

async function oneBatch<Item extends { readonly ref: QueueRef }>(
  batch: readonly Item[],
  work: BatchWork<Item>,
  outcomes: Outcomes<Item>,
): Promise<void> {
  await attempt(batch, work, outcomes)
  // What the service could not do now, out of a batch that it could: once more, each by itself.
  const again = batch.filter((item) => outcomes.get(item)?.kind === 'unavailable')
  if (again.length === batch.length) return
  for (const item of again) await attempt([item], work, outcomes)
}

async function attempt<Item extends { readonly ref: QueueRef }>(
  batch: readonly Item[],
  work: BatchWork<Item>,
  outcomes: Outcomes<Item>,
): Promise<void> {
  const [first] = batch
  if (first === undefined) return
  try {
    const { Failed = [] } = await work.request(first.ref, batch)
    for (const item of batch) outcomes.set(item, undefined)
    for (const failed of Failed) {
      const item = batch[Number(failed.Id)]
      if (item !== undefined) outcomes.set(item, entryFailure(failed))
    }
  } catch (error) {
    const failure = toFailure(error, `queue "${first.ref.name}"`)
    for (const item of batch) outcomes.set(item, failure)
  }
}

function entryFailure({ Code = '', Message = '', SenderFault }: BatchResultErrorEntry): SqsFailure {
  return new SqsFailure(kindOf(Code, Message, SenderFault ?? true), `${Code}: ${Message}`)
}

function toSend(
  entry: Entry,
  index: number,
): NonNullable<SendMessageBatchCommand['input']['Entries']>[number] {
  const { body, delaySeconds, groupId, deduplicationId, attributes } = entry
  return {
    Id: String(index),
    MessageBody: body,
    ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
    ...(groupId !== undefined && { MessageGroupId: groupId }),
    ...(deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId }),
    ...(attributes !== undefined && { MessageAttributes: attributes }),
  }
}
