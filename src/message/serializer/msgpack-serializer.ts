import { DecodeError } from '../../errors/errors.js'
import { plainTree, tidied, type PlainTreeRules } from './plain-tree.js'
import type { Serializer } from './serializer.js'
import { toEncodeError, Unwritable } from './unwritable.js'

const RULES: PlainTreeRules = { number: msgpackNumber, keepsDates: false }
const LARGEST = 2n ** 64n - 1n
const SMALLEST = -(2n ** 63n)

/**
 * MessagePack, with bytes as bytes; it has no dates in Celery.
 *
 * @throws when the package `@msgpack/msgpack` is not installed.
 * @source kombu 5.6, `kombu/serialization.py`, `register_msgpack`.
 */
export async function loadMsgpackSerializer(): Promise<Serializer> {
  const { decode, encode } = await import('@msgpack/msgpack')
  return {
    name: 'msgpack',
    contentType: 'application/x-msgpack',
    contentEncoding: 'binary',
    encode(value, roots) {
      try {
        return encode(plainTree(value, RULES), { useBigInt64: true, maxDepth: 1000 })
      } catch (error) {
        throw toEncodeError(error, { value, format: 'msgpack', roots })
      }
    },
    decode(data) {
      try {
        return tidied(decode(typeof data === 'string' ? Buffer.from(data) : data, { useBigInt64: true }))
      } catch (error) {
        throw new DecodeError('the data are not msgpack', { cause: error })
      }
    },
  }
}

function msgpackNumber(value: number | bigint): number | bigint {
  if (typeof value === 'bigint') {
    if (value > LARGEST || value < SMALLEST) throw new Unwritable('msgpack has no integers beyond 64 bits')
    return value
  }
  if (!Number.isFinite(value)) throw new Unwritable(`${value} is refused, as in json`)
  // The library writes a number of more than 32 bits as a float unless it is a BigInt.
  return Number.isSafeInteger(value) && Math.abs(value) > 0x7fffffff ? BigInt(value) : value
}
