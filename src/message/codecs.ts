import { isUtf8 } from 'node:buffer'
import { DecodeError } from '../errors/errors.js'
import { CompressorRegistry } from './compression/compressor-registry.js'
import type { Compressor } from './compression/compressor.js'
import { CustomTypes, type CustomType } from './serializer/custom-types.js'
import { SerializerRegistry, type AcceptedContent } from './serializer/serializer-registry.js'
import type { Serializer } from './serializer/serializer.js'
import { readJson } from './serializer/json-reader.js'
import { writeJson } from './serializer/json-writer.js'

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

/** What is needed to read an encoded value. */
export interface EncodedContent {
  readonly contentType: string
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
   * Decode bytes or text that were not compressed, or are no longer. Text is UTF-8 whatever the sender calls its encoding.
   *
   * @throws ContentDisallowedError for content that is not accepted; DecodeError for anything else that fails.
   * @source kombu 5.7, `kombu/serialization.py`, `SerializerRegistry.loads`.
   */
  decode(data: string | Uint8Array, content: EncodedContent, accepted: AcceptedContent): unknown {
    const serializer = this.serializers.reader(content.contentType, accepted)
    try {
      if (typeof data === 'string' || serializer.contentEncoding === 'binary') return serializer.decode(data)
      return serializer.decode(utf8(data))
    } catch (error) {
      if (error instanceof DecodeError) throw error
      throw new DecodeError(`the data cannot be decoded as ${serializer.name}`, { cause: error })
    }
  }
}

function utf8(data: Uint8Array): string {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const text = bytes.toString('utf8')
  // Only a text with the replacement character can come from broken bytes.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw new DecodeError('the data are not UTF-8')
  return text
}

/** JSON as kombu 5.3 and later write it, the default of Celery and of Lovage. */
function jsonSerializer(custom?: CustomTypes): Serializer {
  return {
    name: 'json',
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    encode: (value, roots) => writeJson(value, custom, roots),
    decode: (data) => readJson(typeof data === 'string' ? data : Buffer.from(data).toString('utf8'), custom),
  }
}
