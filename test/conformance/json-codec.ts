import type { ResultCodec } from '../../src/backend/contract.js'

/** Values as plain JSON, for backends under test. */
export const jsonCodec: ResultCodec = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  encode: (value) => ({
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    data: JSON.stringify(value ?? null),
  }),
  decode: ({ data }): unknown => JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data)),
}
