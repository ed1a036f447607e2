import { MessageError } from '../errors/errors.js'
import { isRecord } from '../util/record.js'
import type { Embed, WireSignature } from './task-message.js'

/** An embed with nothing in it. */
export const EMPTY_EMBED: Embed = { callbacks: null, errbacks: null, chain: null, chord: null }

/** What Python takes as false: nothing to read. */
export function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined || value === null || !value
  return (Array.isArray(value) ? value : Object.keys(value)).length === 0
}

/**
 * The embed of a body; what is empty or missing is taken as nothing.
 *
 * @throws MessageError when a key holds something that is no signature.
 */
export function readEmbed(value: unknown): Embed {
  if (isEmpty(value)) return EMPTY_EMBED
  if (!isRecord(value)) throw new MessageError('the embed of the body is not an object')
  return {
    callbacks: signatures(value['callbacks'], 'callbacks'),
    errbacks: signatures(value['errbacks'], 'errbacks'),
    chain: signatures(value['chain'], 'chain'),
    chord: isEmpty(value['chord']) ? null : signature(value['chord'], 'chord'),
  }
}

function signatures(value: unknown, name: string): readonly WireSignature[] | null {
  if (isEmpty(value)) return null
  if (!Array.isArray(value)) return [signature(value, name)]
  return value.map((item) => signature(item, name))
}

/** What is missing is filled in, because a foreign producer may leave out what it does not use. */
function signature(value: unknown, name: string): WireSignature {
  if (!isRecord(value)) throw new MessageError(`${name} holds something that is not a signature`)
  const { task } = value
  const args = isEmpty(value['args']) ? [] : value['args']
  const kwargs = isEmpty(value['kwargs']) ? {} : value['kwargs']
  const options = isEmpty(value['options']) ? {} : value['options']
  if (typeof task !== 'string') throw new MessageError(`${name} holds a signature without a task`)
  if (!Array.isArray(args) || !isRecord(kwargs) || !isRecord(options)) {
    throw new MessageError(`the signature of "${task}" in ${name} has arguments of the wrong type`)
  }
  return { ...value, task, args, kwargs, options }
}
