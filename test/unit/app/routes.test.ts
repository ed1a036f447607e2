import { describe, expect, it } from '@jest/globals'

import { QueueTable } from '../../../src/app/queues.js'
import { Router, type RoutedMessage } from '../../../src/app/routes.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { resolveConfig } from '../../../src/config/resolve.js'
import { ConfigError, QueueNotFoundError } from '../../../src/errors/errors.js'
import type { CallOptions } from '../../../src/task/call-options.js'
import { definitionOf } from '../task/support.js'

function routerOf(input: ConfigInput): Router {
  const config = resolveConfig(input)
  return new Router(config, new QueueTable(config))
}

async function route(input: ConfigInput, name: string, options: CallOptions = {}): Promise<RoutedMessage> {
  return routerOf(input).route({ name, args: [], kwargs: {}, options, task: undefined })
}

describe('a call without a route', () => {
  it('goes to the queue celery by name', async () => {
    expect(await route({}, 'tasks.add')).toMatchObject({ route: { exchange: '', routingKey: 'celery' } })
  })

  it('goes to the configured default queue', async () => {
    expect(await route({ taskDefaultQueue: 'work' }, 'tasks.add')).toMatchObject({
      route: { exchange: '', routingKey: 'work' },
      queue: { spec: { name: 'work', bindings: [{ exchange: 'work', type: 'direct', routingKey: 'work' }] } },
    })
  })
})

describe('taskRoutes', () => {
  const taskRoutes = {
    'feed.tasks.*': 'feeds',
    'feed.tasks.import': { queue: 'imports', priority: 7 },
    'video.?ncode': { queue: 'video' },
    'a.*': 'first',
    'a.b.*': 'second',
  }

  it.each([
    ['feed.tasks.refresh', 'feeds'],
    ['feed.tasks.import', 'imports'],
    ['video.encode', 'video'],
    ['video.reencode', 'celery'],
    ['a.b.c', 'first'],
    ['feedxtasks.refresh', 'celery'],
  ])(
    'send %s to %s: an exact name wins over a pattern, the first pattern over later ones',
    async (name, queue) => {
      expect((await route({ taskRoutes }, name)).route.routingKey).toBe(queue)
    },
  )

  it('may be regular expressions, functions and objects, asked in order until one answers', async () => {
    const routes = [
      [[/^mail\./, 'mail'] as const],
      (name: string) => (name.startsWith('slow.') ? { queue: 'slow' } : null),
      { routeForTask: (name: string) => (name === 'class.one' ? 'by-class' : undefined) },
      { '*': 'rest' },
    ]
    const names = ['mail.send', 'slow.one', 'class.one', 'other']

    const found = await Promise.all(names.map((name) => route({ taskRoutes: routes }, name)))

    expect(found.map((one) => one.route.routingKey)).toEqual(['mail', 'slow', 'by-class', 'rest'])
  })

  it('give what neither the call nor the task says', async () => {
    const router = routerOf({ taskRoutes: { 'tests.body': { queue: 'routed', priority: 3 } } })
    const task = definitionOf({ priority: 5 }, () => 1)

    const routed = await router.route({
      name: 'tests.body',
      args: [],
      kwargs: {},
      options: { queue: 'called' },
      task,
    })

    expect(routed).toMatchObject({ route: { routingKey: 'called' }, priority: 5 })
  })
})

describe('exchanges', () => {
  const taskQueues = [
    { name: 'logs', exchange: 'events', exchangeType: 'topic', routingKey: 'log.#' } as const,
  ]

  it('of a topic queue are used with the key of the call', async () => {
    const routed = await route({ taskQueues }, 'tasks.log', { queue: 'logs', routingKey: 'log.error' })

    expect(routed.route).toEqual({ exchange: 'events', routingKey: 'log.error' })
  })

  it('without a queue are published to as they are', async () => {
    const routed = await route({ taskQueues }, 'tasks.log', { exchange: 'events', routingKey: 'log.error' })

    expect(routed).toMatchObject({ route: { exchange: 'events', routingKey: 'log.error' }, queue: undefined })
  })

  it('of an unknown type are refused', async () => {
    const unknown = { name: 'x', exchangeType: 'ring' }

    expect(() => routerOf({ taskQueues: [unknown as never] })).toThrow(ConfigError)
  })
})

describe('a configured queue', () => {
  it('that names no exchange shares the default one, as in Celery', () => {
    const queues = new QueueTable(resolveConfig({ taskQueues: [{ name: 'mails' }] }))

    expect(queues.get('mails').spec.bindings).toEqual([
      { exchange: 'celery', type: 'direct', routingKey: 'celery' },
    ])
  })

  it('of a headers or fanout exchange may have an empty key, and arguments to match', () => {
    const taskQueues = [
      { name: 'all', exchange: 'news', exchangeType: 'fanout', routingKey: '' } as const,
      {
        name: 'some',
        exchange: 'h',
        exchangeType: 'headers',
        routingKey: '',
        bindingArguments: { a: 1 },
      } as const,
    ]
    const queues = new QueueTable(resolveConfig({ taskQueues }))

    expect(queues.configured.map((queue) => queue.spec.bindings)).toEqual([
      [{ exchange: 'news', type: 'fanout', routingKey: '' }],
      [{ exchange: 'h', type: 'headers', routingKey: '', arguments: { a: 1 } }],
    ])
  })
})

describe('a queue that is not configured', () => {
  it('is refused with a suggestion when missing queues are not created', async () => {
    const input = { taskQueues: [{ name: 'celery' }, { name: 'mails' }], taskCreateMissingQueues: false }

    await expect(route(input, 'tasks.add', { queue: 'mail' })).rejects.toThrow(QueueNotFoundError)
    await expect(route(input, 'tasks.add', { queue: 'mail' })).rejects.toThrow('did you mean "mails"?')
  })

  it('is made up otherwise', async () => {
    expect(await route({}, 'tasks.add', { queue: 'new' })).toMatchObject({
      queue: { spec: { name: 'new', lifetime: 'durable' } },
    })
  })
})

describe('a priority that the broker does not have', () => {
  it.each([
    ['SQLite', {}, 10, '0 to 9'],
    ['a memory broker', { broker: 'memory://' }, 99, '0 to 9'],
    ['RabbitMQ', { broker: 'amqp://localhost' }, 256, '0 to 255'],
  ])('is refused on %s', async (_broker, input, priority, range) => {
    await expect(route(input, 'tasks.add', { priority })).rejects.toThrow(
      `expected the priority of tasks.add to be ${range}, as the broker has them, got: ${priority}`,
    )
  })

  it('is refused when a route asks for it, and a byte is one on RabbitMQ', async () => {
    await expect(route({ taskRoutes: { 'tasks.*': { priority: 10 } } }, 'tasks.add')).rejects.toThrow(
      '0 to 9',
    )
    expect(await route({ broker: 'amqp://localhost' }, 'tasks.add', { priority: 255 })).toMatchObject({
      priority: 255,
    })
  })
})
