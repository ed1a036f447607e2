import * as zlib from 'node:zlib'
import { DecodeError } from '../../errors/errors.js'

/** Compresses message bodies, under the names the wire knows it by. */
export interface Compressor {
  /** What users write in `compression`. */
  readonly names: readonly string[]
  /** MIME name, written into the header `compression`. */
  readonly contentType: string
  compress(data: Uint8Array): Uint8Array
  /** @throws when the data are damaged, or longer than `maxBytes` when decompressed. */
  decompress(data: Uint8Array, maxBytes: number): Uint8Array
}

/**
 * `zlib` and `gzip` are one thing in Celery: a zlib stream. A real gzip file is read too.
 *
 * @source kombu 5.6, `kombu/compression.py`.
 */
export const ZLIB_COMPRESSOR: Compressor = {
  names: ['zlib', 'gzip'],
  contentType: 'application/x-gzip',
  compress: (data) => zlib.deflateSync(data),
  decompress: (data, maxBytes) => zlib.unzipSync(data, { maxOutputLength: maxBytes }),
}

/** Brotli, as Python's package of that name. */
export const BROTLI_COMPRESSOR: Compressor = {
  names: ['brotli'],
  contentType: 'application/x-brotli',
  compress: (data) => zlib.brotliCompressSync(data),
  decompress: (data, maxBytes) => zlib.brotliDecompressSync(data, { maxOutputLength: maxBytes }),
}

/** Zstandard, or `undefined` where Node has none (before 22.15). */
export function zstdCompressor(): Compressor | undefined {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync')
  const decompress: unknown = Reflect.get(zlib, 'zstdDecompressSync')
  if (typeof compress !== 'function' || typeof decompress !== 'function') return undefined
  return {
    names: ['zstd', 'zstandard'],
    contentType: 'application/zstd',
    compress: (data) => bytes(Reflect.apply(compress, zlib, [data])),
    decompress: (data, maxBytes) =>
      bytes(Reflect.apply(decompress, zlib, [data, { maxOutputLength: maxBytes }])),
  }
}

function bytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new DecodeError('the compressor gave no bytes')
}

/** Why a compressor that Celery has is missing here, by each of its names. */
export const MISSING_COMPRESSORS: ReadonlyMap<string, string> = new Map(
  [
    { names: ['bzip2', 'bzip', 'application/x-bz2'], reason: 'Node has no bzip2' },
    { names: ['lzma', 'xz', 'application/x-lzma'], reason: 'Node has no lzma' },
    { names: ['zstd', 'zstandard', 'application/zstd'], reason: 'Node has zstd from 22.15 on' },
  ].flatMap(({ names, reason }) => names.map((name) => [name, reason] as const)),
)
