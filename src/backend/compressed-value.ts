import type { ResultCompressor } from '../message/compression/compressed-result.js'
import { CompressorRegistry } from '../message/compression/compressor-registry.js'

const MARK = Buffer.from('\u0000celery-compressed\u0000', 'latin1')
/** No store holds a longer value. */
const MAX_BYTES = 512 * 2 ** 20
const compressors = new CompressorRegistry(() => MAX_BYTES)

/** A value as it is stored where results are compressed. */
export function compressed<Value extends string | Uint8Array>(
  value: Value,
  compress: ResultCompressor | undefined,
): Value | Buffer {
  return compress === undefined ? value : Buffer.from(compress(Buffer.from(value)))
}

/**
 * A stored value as the serializer wrote it, whether Celery 5.7 compressed it or not.
 *
 * @throws `DecodeError` for a compressor that is not there.
 */
export function decompressed(value: Buffer): Uint8Array {
  if (!value.subarray(0, MARK.length).equals(MARK)) return value
  const end = value.indexOf(0, MARK.length)
  const name = value.subarray(MARK.length, end).toString('latin1')
  return compressors.decompress(name, value.subarray(end + 1))
}
