import { describe, expect, it } from '@jest/globals'
import type { ConfigInput } from '../../../src/config/config.js'
import { resolveConfig } from '../../../src/config/resolve.js'
import type { RoutesInput } from '../../../src/config/routing-settings.js'

describe('taskQueues', () => {
  it('are a list of queues and names', () => {
    const taskQueues = [
      'plain',
      { name: 'feeds', exchange: 'media', exchangeType: 'topic', routingKey: 'feed.#', durable: false },
      {
        name: 'all',
        bindings: [{ exchange: 'news', exchangeType: 'fanout' }],
        queueArguments: { 'x-queue-type': 'quorum' },
      },
    ] as const

    expect(resolveConfig({ taskQueues }).taskQueues).toEqual([
      { name: 'plain' },
      { ...taskQueues[1], exchangeDurable: false },
      taskQueues[2],
    ])
  })

  it('are an object by name, in the spelling of Celery too', () => {
    const input = {
      task_queues: {
        celery: null,
        feeds: { exchange: 'media', exchange_type: 'topic', routing_key: 'feed.#', max_priority: 9 },
      },
    }

    expect(resolveConfig(input as ConfigInput).taskQueues).toEqual([
      { name: 'celery' },
      { name: 'feeds', exchange: 'media', exchangeType: 'topic', routingKey: 'feed.#', maxPriority: 9 },
    ])
  })

  it('take the members of a queue of kombu', () => {
    const task_queues = {
      feeds: {
        exchange: 'media',
        binding_key: 'feed.#',
        routing_key: 'feed.import',
        durable: false,
        queue_auto_delete: true,
        exchange_durable: true,
        exchange_arguments: { 'alternate-exchange': 'lost' },
        delivery_mode: 'transient',
        no_declare: true,
        no_ack: false,
        consumer_arguments: {},
        expires: 1.5,
        message_ttl: 2,
        max_length: 3,
        max_length_bytes: 4,
        queue_arguments: { 'x-queue-mode': 'lazy' },
      },
      plain: { exchange: 'media', auto_delete: true },
      shared: { queue_durable: false },
    }

    expect(resolveConfig({ task_queues } as ConfigInput).taskQueues).toEqual([
      {
        name: 'feeds',
        exchange: 'media',
        routingKey: 'feed.#',
        durable: false,
        autoDelete: true,
        exchangeDurable: true,
        exchangeArguments: { 'alternate-exchange': 'lost' },
        deliveryMode: 1,
        noDeclare: true,
        queueArguments: {
          'x-queue-mode': 'lazy',
          'x-expires': 1500,
          'x-message-ttl': 2000,
          'x-max-length': 3,
          'x-max-length-bytes': 4,
        },
      },
      { name: 'plain', exchange: 'media', autoDelete: true, exchangeAutoDelete: true },
      { name: 'shared', durable: false },
    ])
  })

  it.each<[string, unknown, string]>([
    ['messages without acknowledgement', { a: { no_ack: true } }, 'set acksLate: false on tasks'],
    ['arguments of a consumer', { a: { consumer_arguments: { 'x-priority': 1 } } }, 'are not supported'],
    ['a text', 'mail', 'to be a list of queues or an object by name'],
    ['a queue without a name', [{ exchange: 'a' }], 'expected taskQueues[0] to have a name'],
    ['an unknown member', [{ name: 'a', routing: 'x' }], 'unknown member "routing" of taskQueues[0]'],
    [
      'an exchange type',
      { a: { exchangeType: 'tpoic' } },
      'expected taskQueues["a"].exchangeType to be "direct"',
    ],
    ['one name twice', ['a', { name: 'a' }], 'has the queue "a" twice'],
    [
      'a binding without an exchange',
      [{ name: 'a', bindings: [{}] }],
      'taskQueues[0].bindings[0] to have an exchange',
    ],
  ])('refuse %s', (_what, taskQueues, message) => {
    expect(() => resolveConfig({ taskQueues } as ConfigInput)).toThrow(message)
  })
})

describe('taskRoutes', () => {
  const route = (): string => 'queue'
  const rule = (pattern: string | RegExp, queue: string): object => ({ pattern, target: { queue } })

  it.each<[string, RoutesInput, readonly object[]]>([
    [
      'an object',
      { 'a.b': 'one', 'a.*': { queue: 'two' } },
      [{ rules: [rule('a.b', 'one'), rule('a.*', 'two')] }],
    ],
    ['a function', route, [{ route }]],
    ['a list of both', [{ a: 'one' }, route], [{ rules: [rule('a', 'one')] }, { route }]],
    ['a pair', [['a.*', 'one'] as const], [{ rules: [rule('a.*', 'one')] }]],
    [
      'a list of pairs in a list',
      [[[/^a/, { queue: 'one' }] as const, ['b', 'two'] as const]],
      [{ rules: [rule(/^a/, 'one'), rule('b', 'two')] }],
    ],
  ])('are %s', (_what, taskRoutes, expected) => {
    expect(resolveConfig({ taskRoutes }).taskRoutes).toEqual(expected)
  })

  it('take objects with routeForTask', async () => {
    const router = { queue: 'mine', routeForTask: (name: string): string => `${router.queue}.${name}` }

    const [found] = resolveConfig({ taskRoutes: [router] }).taskRoutes

    expect(found !== undefined && 'route' in found && (await found.route('x', [], {}, {}))).toBe('mine.x')
  })

  it('take the member names of Celery, and keep other options', () => {
    const taskRoutes = {
      a: { exchange: 'media', exchange_type: 'topic', routing_key: 'x', priority: 3, time_limit: 5 },
    }

    expect(resolveConfig({ taskRoutes }).taskRoutes).toEqual([
      {
        rules: [
          {
            pattern: 'a',
            target: { exchange: 'media', exchangeType: 'topic', routingKey: 'x', priority: 3, timeLimit: 5 },
          },
        ],
      },
    ])
  })

  it.each<[string, unknown, string]>([
    ['an empty path', [''], 'expected taskRoutes[0] to be an object of patterns and targets'],
    ['a number as target', { a: 5 }, 'expected taskRoutes["a"] to be a queue name or an object'],
    [
      'a queue that is no text',
      { a: { queue: 5 } },
      'expected taskRoutes["a"].queue to be a non-empty string',
    ],
  ])('refuse %s', (_what, taskRoutes, message) => {
    expect(() => resolveConfig({ taskRoutes } as ConfigInput)).toThrow(message)
  })
})

describe('beatSchedule', () => {
  it('keeps entries and their schedules', () => {
    const schedule = { next: (): number => 1 }
    const config = resolveConfig({
      beatSchedule: { a: { task: 't', schedule: 30, args: [1] }, b: { task: 'u', schedule } },
    })

    expect(config.beatSchedule).toEqual({
      a: { task: 't', schedule: 30, args: [1] },
      b: { task: 'u', schedule },
    })
  })

  it.each<[string, unknown, string]>([
    [
      'an entry without a task',
      { a: { schedule: 1 } },
      'expected beatSchedule["a"].task to be the name of a task',
    ],
    ['an entry without a schedule', { a: { task: 't' } }, 'expected beatSchedule["a"].schedule'],
    [
      'args that are no list',
      { a: { task: 't', schedule: 1, args: 5 } },
      'expected beatSchedule["a"].args to be a list',
    ],
    ['a list', [], 'expected beatSchedule to be an object of entries by name'],
  ])('refuses %s', (_what, beatSchedule, message) => {
    expect(() => resolveConfig({ beatSchedule } as ConfigInput)).toThrow(message)
  })
})
