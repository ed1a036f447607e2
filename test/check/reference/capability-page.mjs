/** One broker of each kind, made without a connection, with the URL that the page shows. */
const BROKERS = [
  { url: 'sqlite:////tmp/queue.sqlite', shown: '`sqlite:///file.db`' },
  { url: 'redis://localhost/0', shown: '`redis://`' },
  { url: 'amqp://localhost', shown: '`amqp://`' },
  { url: 'postgresql://localhost/db', shown: '`postgresql://`' },
  { url: 'mysql://localhost/db', shown: '`mysql://`, `mariadb://`' },
  { url: 'sqla+postgresql://localhost/db', shown: '`sqla+…://`' },
  { url: 'mongodb://localhost/', shown: '`mongodb://`' },
  { url: 'sqs://', shown: '`sqs://`' },
  { url: 'memory://', shown: '`memory://`' },
]

const ROWS = [
  ['Survives the process', ({ capabilities }) => yes(capabilities.durable)],
  ['Longest delay', ({ capabilities }) => delay(capabilities.maxDelayMs)],
  [
    'Priorities',
    ({ name, capabilities }) =>
      name === 'rabbitmq'
        ? 'up to 255, where the queue has `x-max-priority`'
        : levels(capabilities.priorityLevels) +
          (capabilities.firstPriority === 'smallest' ? ', 0 first' : ''),
  ],
  ['Exchanges', ({ capabilities }) => capabilities.exchanges.join(', ') || 'no: queues by name'],
  [
    'Claims',
    ({ name, capabilities }) => {
      if (capabilities.claims === 'leased') return 'leases, renewed and fenced'
      return name === 'rabbitmq' ? 'last as long as the connection' : 'last as long as the process'
    },
  ],
  [
    'Result and acknowledgement in one step',
    ({ name }) => {
      if (name === 'rabbitmq' || name === 'sqs') return 'no'
      return name === 'mongodb'
        ? 'yes, on a replica set or sharded cluster that has the results too'
        : 'yes, where the results are in the same store'
    },
  ],
  ['Broadcast', ({ fanout }) => yes(fanout !== undefined)],
  ['Schedules', ({ schedules }) => yes(schedules !== undefined)],
  [
    'Clock that expiry and due times are compared on',
    ({ name, serverTime }) => {
      if (serverTime === undefined) return name === 'memory' ? "the process's" : "the worker's"
      return name === 'sqs' ? "the service's, to a second" : "the store's"
    },
  ],
  ['Depth of a queue', ({ capabilities }) => capabilities.depth],
  ['Lists its queues', ({ queues }) => yes(queues !== undefined)],
  [
    'Largest batch',
    ({ capabilities }) => (Number.isFinite(capabilities.maxBatch) ? String(capabilities.maxBatch) : 'any'),
  ],
]

/**
 * The capability table, from the drivers themselves.
 *
 * @param {{ open: (url: string) => Promise<object> }} registry - Opens brokers by URL, not connected.
 */
export async function capabilityPage(registry) {
  const brokers = await Promise.all(BROKERS.map(({ url }) => registry.open(url)))
  const line = (cells) => `| ${cells.join(' | ')} |`
  const table = [
    line(['', ...BROKERS.map(({ shown }) => shown)]),
    line(['---', ...BROKERS.map(() => '---')]),
    ...ROWS.map(([name, read]) => line([name, ...brokers.map(read)])),
  ]
  return `<!-- Generated from the drivers by test/check/generate-reference.mjs. -->

# What each broker can do

What a broker cannot do is refused by name, before the first message. Each cell is asserted by the conformance suite, both
ways: a broker that claims an ability has it, one that does not refuses. The column of MySQL and MariaDB is asserted on
MariaDB; no test has run on MySQL yet.

${table.join('\n')}
`
}

function levels(count) {
  return count > 1 ? String(count) : 'no'
}

function yes(value) {
  return value ? 'yes' : 'no'
}

function delay(ms) {
  if (ms === 0) return 'none'
  return ms >= 2 ** 40 ? 'any' : `${ms / 1000} s`
}
