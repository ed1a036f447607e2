import { isUtf8 } from 'node:buffer'
import { DecodeError } from '../errors/errors.js'
import { CompressorRegistry } from './compression/compressor-registry.js'
import type { Compressor } from './compression/compressor.js'
import { CustomTypes, type CustomType } from './serializer/custom-types.js'
import { jsonSerializer } from './serializer/json-serializer.js'
import { SerializerRegistry, type AcceptedContent } from './serializer/serializer-registry.js'
import type { Serializer } from './serializer/serializer.js'

/** Limits of {@link Codecs}. */
export interface CodecsOptions {
  /**
   * Longest decompressed body, in bytes; a function is asked at each body.
   *
   * @defaultValue 256 MiB
   */
  readonly maxDecompressedBytes?: number | (() => number)
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024

const BINARY: ReadonlySet<string> = new Set(['binary', 'ascii-8bit'])
const UTF_8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', ''])

/** What is needed to read an encoded value. */
export interface EncodedContent {
  readonly contentType: string
  readonly contentEncoding: string
}

/** The serializers, compressors and types of one application. */
export class Codecs {
  readonly serializers: SerializerRegistry = new SerializerRegistry()
  readonly compressors: CompressorRegistry
  readonly #types: CustomTypes = new CustomTypes()

  constructor(options: CodecsOptions = {}) {
    const { maxDecompressedBytes: limit = DEFAULT_MAX_BYTES } = options
    this.compressors = new CompressorRegistry(typeof limit === 'number' ? () => limit : limit)
    this.serializers.register(jsonSerializer(this.#types))
  }

  /** Add a serializer of the user's own. */
  registerSerializer(serializer: Serializer): void {
    this.serializers.register(serializer)
  }

  /** Add a compressor of the user's own. */
  registerCompressor(compressor: Compressor): void {
    this.compressors.register(compressor)
  }

  /** Give a class a form in JSON. */
  registerType<Value extends object>(type: CustomType<Value>): void {
    this.#types.register(type)
  }

  /**
   * Decode bytes or text that were not compressed, or are no longer.
   *
   * @throws ContentDisallowedError for content that is not accepted; DecodeError for anything else that fails.
   */
  decode(data: string | Uint8Array, content: EncodedContent, accepted: AcceptedContent): unknown {
    const serializer = this.serializers.reader(content.contentType, accepted)
    try {
      if (typeof data === 'string' || serializer.contentEncoding === 'binary') return serializer.decode(data)
      return serializer.decode(textOf(data, content.contentEncoding))
    } catch (error) {
      if (error instanceof DecodeError) throw error
      throw new DecodeError(`the data cannot be decoded as ${serializer.name}`, { cause: error })
    }
  }
}

function textOf(data: Uint8Array, encoding: string): string {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const name = UTF_8.has(encoding) ? encoding : encoding.toLowerCase()
  if (UTF_8.has(name) || BINARY.has(name)) return utf8(bytes)
  if (name === 'latin-1' || name === 'iso-8859-1') return bytes.toString('latin1')
  throw new DecodeError(`unknown content encoding "${encoding}"`)
}

function utf8(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  // Only a text with the replacement character can come from broken bytes.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw new DecodeError('the data are not UTF-8')
  return text
}
