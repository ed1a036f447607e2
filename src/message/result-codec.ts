import type { Codecs } from './codecs.js'
import type { AcceptedContent } from './serializer/serializer-registry.js'

/** A value as the result serializer wrote it. */
export interface EncodedValue {
  readonly contentType: string
  readonly contentEncoding: string
  readonly data: string | Uint8Array
}

/** Writes and reads values in the configured result serializer; the core hands it to the driver. */
export interface ResultCodec {
  encode(value: unknown): EncodedValue
  decode(encoded: EncodedValue): unknown
  /** Content type and encoding that stored bytes without a content type are in. */
  readonly contentType: string
  readonly contentEncoding: string
}

/**
 * The codec of results in one serializer.
 *
 * @param accepted - Content types that are read; the serializer's own when left out.
 * @throws ConfigError when the serializer is unknown, pickle, or not prepared.
 */
export function createResultCodec(
  serializerName: string,
  codecs: Codecs,
  accepted?: AcceptedContent,
): ResultCodec {
  const serializer = codecs.serializers.get(serializerName)
  const { contentType, contentEncoding } = serializer
  const readable = accepted ?? codecs.serializers.accept([serializerName])
  return {
    contentType,
    contentEncoding,
    encode: (value) => ({ contentType, contentEncoding, data: serializer.encode(value) }),
    decode: (encoded) => codecs.decode(encoded.data, encoded, readable),
  }
}
