import type { CustomTypes } from './custom-types.js'
import { readJson } from './json-reader.js'
import { writeJson } from './json-writer.js'
import type { Serializer } from './serializer.js'

/** JSON as kombu 5.3 and later write it, the default of Celery and of Lovage. */
export function jsonSerializer(custom?: CustomTypes): Serializer {
  return {
    name: 'json',
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    encode: (value, roots) => writeJson(value, custom, roots),
    decode: (data) => readJson(typeof data === 'string' ? data : Buffer.from(data).toString('utf8'), custom),
  }
}
