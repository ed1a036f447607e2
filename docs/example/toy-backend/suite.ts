import { describe, it } from 'node:test'
import { describeBackend, jsonCodec } from 'lovage/conformance'
import { guardBackend, parseConnectionUrl } from 'lovage/driver'
import { createBackend } from './toy-backend.js'

// #region suite
const url = parseConnectionUrl('toy://conformance')

describeBackend({
  name: 'toy',
  open: () => guardBackend(createBackend(url, { codec: jsonCodec })),
  offers: ['cleanup'],
  runner: { describe, it },
})
// #endregion suite
