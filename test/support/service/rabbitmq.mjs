import { findProgram } from '../server-process.mjs'
import { newRabbitmqNode, rabbitmqScript, startRabbitmqNode } from './rabbitmq-node.mjs'

/** RabbitMQ as a process of the test run; queues and exchanges have random names, so suites share it. */
export const rabbitmq = {
  name: 'rabbitmq',
  variable: 'LOVAGE_TEST_RABBITMQ_URL',
  debian: ['rabbitmq-server'],
  detect: async () => {
    if (rabbitmqScript('rabbitmq-server') === undefined) return 'rabbitmq-server is not installed'
    return findProgram('epmd') === undefined ? 'epmd, which comes with Erlang, is not installed' : undefined
  },
  start: async (folder) => {
    const node = await newRabbitmqNode(folder)
    const { stop } = await startRabbitmqNode(node)
    return { url: node.url, stop }
  },
}
