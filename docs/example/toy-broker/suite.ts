import { describe, it } from 'node:test'
import { describeBroker } from 'lovage/conformance'
import { guardBroker, parseConnectionUrl } from 'lovage/driver'
import { createBroker } from './toy-broker.js'

// #region suite
const url = parseConnectionUrl('toy://conformance')

describeBroker({
  name: 'toy',
  open: () => guardBroker(createBroker(url, {})),
  offers: ['leases', 'delays'],
  runner: { describe, it },
})
// #endregion suite
