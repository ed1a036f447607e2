import type { HandBack, Outgoing } from '../../src/broker/contract.js'
import { channelOf, type FanoutNaming } from './channels.js'
import type { Argument } from './connection.js'
import { giveBackEnvelope, priorityOf, writeEnvelope, writeQueuedEnvelope } from './envelope.js'
import type { Envelope } from './envelope.js'
import type { Keys } from './keys.js'

/** Arguments of one operation of the scripts; see `PRELUDE`. */
export type Operation = readonly Argument[]

let lastSequence = 0

/** Publish one message to one queue. @param isKnown - A binding names the queue, so it need not be declared here. */
export function publishOperation(keys: Keys, outgoing: Outgoing, queue: string, isKnown: boolean): Operation {
  const { message, route, notBeforeMs, delayMs } = outgoing
  const step = keys.step(message.properties.priority)
  const isHeld = notBeforeMs !== undefined || (delayMs !== undefined && delayMs > 0)
  const envelope = writeEnvelope(message, route, isHeld)
  if (!isHeld) return ['L', isKnown ? '' : queue, keys.list(queue, step), 1, envelope]
  const [ms, form] = notBeforeMs === undefined ? [delayMs ?? 0, 'r'] : [notBeforeMs, 'a']
  return ['D', queue, ms, form, isKnown ? '' : '1', member(step, envelope)]
}

/** Tell those who listen to a fanout exchange of a message that is in the queues. One that is held is announced at once, with its eta. */
export function tellOperation(naming: FanoutNaming, { route, message }: Outgoing): Operation {
  return ['P', channelOf(naming, route), writeQueuedEnvelope(message, route)]
}

/** Give a claimed message back: to the front when nothing was spent, to the back otherwise, or held. */
export function giveBackOperation(
  keys: Keys,
  claim: { readonly envelope: Envelope; readonly queue: string },
  wish: Omit<HandBack, 'delivery'>,
): Operation {
  const { envelope, queue } = claim
  const step = keys.step(priorityOf(envelope))
  const text = giveBackEnvelope(envelope, wish)
  const { notBeforeMs, delayMs } = wish
  if (notBeforeMs !== undefined) return ['D', queue, notBeforeMs, 'a', '', member(step, text)]
  if (delayMs > 0) return ['D', queue, delayMs, 'r', '', member(step, text)]
  const list = keys.list(queue, step)
  return wish.unspent ? ['R', list, text] : ['L', '', list, 1, text]
}

/** Of messages due at the same time, what was published first comes first. */
function member(step: number, envelope: string): string {
  lastSequence = Math.max(lastSequence + 1, Date.now() * 1000)
  return `${String(step)}:${String(lastSequence)}:${envelope}`
}
