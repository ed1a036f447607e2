/** Sends one message by a name: `named.js <URL> <name server>`; prints the depth of the queue and where it is. */
import dns from 'node:dns'
import { createBroker } from '../../../../brokers/mongodb/index.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { guardBroker } from '../../../../src/broker/guard.js'
import { outgoing } from '../../../support/messages.js'

const [url = '', server = ''] = process.argv.slice(2)
dns.setServers([server])
// In place of the hosts file: every name is this machine.
const here = [{ address: '127.0.0.1', family: 4 }]
Object.assign(dns, {
  lookup: (
    _name: string,
    { all }: { readonly all?: boolean },
    done: (error: null, address: unknown, family?: number) => void,
  ) => {
    if (all === true) done(null, here)
    else done(null, '127.0.0.1', 4)
  },
})

const broker = guardBroker(createBroker(parseConnectionUrl(url), {}))
await broker.connect(new AbortController().signal)
await broker.declare({ name: 'named', lifetime: 'durable', bindings: [] })
await broker.publish([outgoing('named', '{}')])
process.stdout.write(`depth ${String(await broker.depth?.('named'))}\n`)
await broker.close()
