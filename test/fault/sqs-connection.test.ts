import { setTimeout as sleep } from 'node:timers/promises'
import { serviceUrl } from '../support/service-url.js'
import { SqsServer } from '../support/sqs-server.js'
import { describeConnection, inRounds, isFull, networkFaults } from './fixture/connection-faults.js'

const rounds = isFull ? 20 : 1

/** A broker's URL; answers are given up after two seconds. */
const urlAt = (port: number): string =>
  `sqs://x:x@127.0.0.1:${String(port)}?region=elasticmq&answer_timeout=2`

describeConnection({
  store: 'SQS',
  isThere: serviceUrl('sqs') !== undefined,
  startServer: () => SqsServer.start({ keeps: true }),
  settings: (port, folder) => ({
    broker: urlAt(port),
    backend: `sqlite:///${folder.file('results.sqlite')}`,
    // A server that was just started may be slow.
    publishTimeout: 20,
  }),
  worker: () => ({ lease: 4 }),
  faults: {
    ...inRounds<SqsServer>(networkFaults(20_000, 3_000), () => rounds),
    'ends with the server, which is killed and started again,': {
      rounds: Math.min(5, rounds),
      strike: async ({ server }) => {
        await server.kill()
        await sleep(200)
        await server.startAgain()
      },
    },
  },
  bringsResults: true,
  url: urlAt,
  hastyUrl: urlAt,
  publishTimeout: 3,
})
