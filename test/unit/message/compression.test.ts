import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ConfigError, DecodeError } from '../../../src/errors/errors.js'
import { CompressorRegistry } from '../../../src/message/compression/compressor-registry.js'
import { readVector, record, text } from './vectors.js'

const table = readVector('celery-5.6.3/codecs/compression.json')
const body = Buffer.from(text(table['body_utf8']))
const registry = new CompressorRegistry(() => 1_000_000)
const hasZstd = 'zstdDecompressSync' in (await import('node:zlib'))
const AVAILABLE = ['zlib', 'gzip', 'brotli', ...(hasZstd ? ['zstd'] : [])]
const MISSING = ['bzip2', 'bzip', 'lzma', 'xz', ...(hasZstd ? [] : ['zstd', 'zstandard'])]

function recorded(name: string): { type: string; data: Buffer } {
  const row = record(record(table['compressed'])[name])
  return { type: text(row['header_compression']), data: Buffer.from(text(row['hex']), 'hex') }
}

describe('compression', () => {
  it.each(AVAILABLE)('%s of Python is read, by its alias and its MIME name', (name) => {
    const { type, data } = recorded(name)

    expect(Buffer.from(registry.decompress(type, data))).toEqual(body)
    expect(Buffer.from(registry.decompress(name, data))).toEqual(body)
  })

  it.each(AVAILABLE)('%s comes back as it was', (name) => {
    const compressor = registry.get(name)

    expect(compressor.contentType).toBe(recorded(name).type)
    expect(Buffer.from(registry.decompress(name, compressor.compress(body)))).toEqual(body)
  })

  it('gzip is a zlib stream, as in Celery, and a gzip file is read too', () => {
    expect(registry.get('gzip').compress(body)[0]).toBe(0x78)
    expect(Buffer.from(registry.decompress('gzip', gzipSync(body)))).toEqual(body)
  })

  it.each(MISSING)('%s is refused by name', (name) => {
    expect(() => registry.get(name)).toThrow(ConfigError)
    expect(() => registry.get(name)).toThrow(/Node has/)
    expect(() => registry.decompress(name, body)).toThrow(DecodeError)
  })

  it.each(AVAILABLE)('a bomb in %s is cut at the limit', (name) => {
    const bomb = registry.get(name).compress(Buffer.alloc(1_000_001))

    expect(bomb.length).toBeLessThan(5000)
    expect(() => registry.decompress(name, bomb)).toThrow(DecodeError)
  })

  it('damaged data are refused', () => {
    expect(() => registry.decompress('gzip', body)).toThrow(DecodeError)
    expect(() => registry.decompress('gzip', Buffer.alloc(0))).toThrow(DecodeError)
  })

  it('a compressor of the user’s own can stand in for a missing one', () => {
    const own = new CompressorRegistry(() => 10)
    const same = (data: Uint8Array): Uint8Array => data
    own.register({ names: ['bzip2'], contentType: 'application/x-bz2', compress: same, decompress: same })

    expect(own.decompress('application/x-bz2', own.get('bzip2').compress(body))).toEqual(body)
  })
})
