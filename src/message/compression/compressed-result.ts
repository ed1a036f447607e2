import type { Compressor } from './compressor.js'

const MARK = Buffer.from('\u0000celery-compressed\u0000', 'latin1')

/** Writes the bytes of a result shorter, in the form that tells readers how. */
export type ResultCompressor = (data: Uint8Array) => Uint8Array

/**
 * Compresses results as Celery does for stores that hold bytes: a mark, the compressor's MIME name, the bytes.
 *
 * @source Celery 5.7, `result_compression`.
 */
export function resultCompressor(compressor: Compressor): ResultCompressor {
  const head = Buffer.concat([MARK, Buffer.from(`${compressor.contentType}\u0000`, 'latin1')])
  return (data) => Buffer.concat([head, compressor.compress(data)])
}
