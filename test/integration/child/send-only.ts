/** A process that only sends: it prints what keeps it alive once its task is sent, then ends by closing its app. */
import { setImmediate } from 'node:timers/promises'
import { Lovage } from '../../../src/index.js'

const [, , broker = '', queue = 'sender'] = process.argv
const app = new Lovage('sender', { broker, backend: false })
const task = app.task({ name: 'sender.task', queue }, () => undefined)
await task.delay()
await setImmediate()
// The streams of the process itself are no connections.
const own = new Set(['PipeWrap', 'TTYWrap', 'Immediate', 'FSReqPromise'])
console.log(JSON.stringify(process.getActiveResourcesInfo().filter((kind) => !own.has(kind))))
await app.close()
