import { mkdirSync, writeFileSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

import type { DefineOptions } from '../../../src/app/define.js'
import { QueueTable } from '../../../src/app/queues.js'
import { Router, type RoutedMessage } from '../../../src/app/routes.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { resolveConfig } from '../../../src/config/resolve.js'
import type { RouteTarget } from '../../../src/config/routing-settings.js'
import { ConfigError, QueueNotFoundError } from '../../../src/errors/errors.js'
import type { CallOptions } from '../../../src/task/call-options.js'
import { Lovage } from '../../../src/index.js'
import { internalsOf } from '../../../src/util/internals.js'
import { tempFolder, type TempFolder } from '../../support/temp.js'
import { definitionOf } from '../task/support.js'

function routerOf(input: ConfigInput): Router {
  const config = resolveConfig(input)
  return new Router(config, new QueueTable(config), () =>
    internalsOf(new Lovage('routes', input)).priorityLimit(),
  )
}

async function routedBy(input: ConfigInput, name: string, options: CallOptions = {}): Promise<RoutedMessage> {
  return routerOf(input).route({ name, args: [], kwargs: {}, options, task: undefined })
}

describe('a call without a route', () => {
  it('goes to the queue celery by name', async () => {
    expect(await routedBy({}, 'tasks.add')).toMatchObject({ route: { exchange: '', routingKey: 'celery' } })
  })

  it('goes to the configured default queue', async () => {
    expect(await routedBy({ taskDefaultQueue: 'work' }, 'tasks.add')).toMatchObject({
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
      expect((await routedBy({ taskRoutes }, name)).route.routingKey).toBe(queue)
    },
  )

  describe('by the path of a router', () => {
    const before = process.cwd()
    let folder: TempFolder | undefined
    beforeAll(async () => {
      folder = await tempFolder('routers')
      mkdirSync(folder.file('shop'))
      writeFileSync(
        folder.file('shop', 'routers.mjs'),
        `export const route = (name) => (name === 'a' ? 'ones' : undefined)
         export const ready = { queue: 'ready', routeForTask(name) { return name === 'b' ? this.queue : null } }
         export class Router { queue = 'made'; routeForTask(name) { return { queue: this.queue } } }
         export const number = 5`,
      )
      process.chdir(folder.path)
    })
    afterAll(async () => {
      process.chdir(before)
      await folder?.remove()
    })

    it.each([
      ['a', 'ones'],
      ['b', 'ready'],
      ['c', 'made'],
    ])('sends %s to %s: a function, an object, a class, asked in order', async (name, queue) => {
      const taskRoutes = ['./shop/routers.mjs:route', './shop/routers:ready', 'shop.routers.Router']

      expect((await routedBy({ taskRoutes }, name)).route.routingKey).toBe(queue)
    })

    it('is one path, or two, which are no pair of pattern and queue', async () => {
      const two = ['shop.routers.route', 'shop.routers.ready']

      expect((await routedBy({ taskRoutes: 'shop.routers.Router' }, 'x')).route.routingKey).toBe('made')
      expect((await routedBy({ taskRoutes: two }, 'b')).route.routingKey).toBe('ready')
    })

    it.each([
      [
        './shop/routers.mjs:missing',
        'expected "./shop/routers.mjs:missing" of taskRoutes to name a function',
      ],
      ['shop.routers.number', 'expected "shop.routers.number" of taskRoutes to name a function'],
      ['shop.nowhere.Router', 'expected "shop.nowhere" to be a file of'],
    ])('is refused where there is no router: %s', async (path, message) => {
      const routing = routedBy({ taskRoutes: [path] }, 'x')

      await expect(routing).rejects.toThrow(ConfigError)
      await expect(routing).rejects.toThrow(message)
    })
  })

  it('may be regular expressions, functions and objects, asked in order until one answers', async () => {
    const routes = [
      [[/^mail\./, 'mail'] as const],
      (name: string) => (name.startsWith('slow.') ? { queue: 'slow' } : null),
      { routeForTask: (name: string) => (name === 'class.one' ? 'by-class' : undefined) },
      { '*': 'rest' },
    ]
    const names = ['mail.send', 'slow.one', 'class.one', 'other']

    const found = await Promise.all(names.map((name) => routedBy({ taskRoutes: routes }, name)))

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

describe('options of a route', () => {
  const route: RouteTarget = {
    serializer: 'yaml',
    time_limit: 5,
    expires: 60,
    delivery_mode: 1,
    countdown: 3,
  }

  it('hold where neither the call nor the task says something', async () => {
    const router = routerOf({ taskRoutes: { 'tests.body': route } })
    const routed = (options: CallOptions, own: DefineOptions): Promise<RoutedMessage> =>
      router.route({ name: 'tests.body', args: [], kwargs: {}, options, task: definitionOf(own, () => 1) })

    const all = { serializer: 'yaml', timeLimit: 5, expires: 60, persistent: false, countdown: 3 }
    expect((await routed({}, {})).options).toEqual(all)
    expect((await routed({}, { serializer: 'json', expires: 9 })).options).toEqual({
      timeLimit: 5,
      persistent: false,
      countdown: 3,
    })
    const eta = new Date(0)
    expect((await routed({ timeLimit: 1, eta }, {})).options).toEqual({
      serializer: 'yaml',
      timeLimit: 1,
      expires: 60,
      persistent: false,
      eta,
    })
  })

  it('may come from a function, in the spelling of Celery', async () => {
    const taskRoutes = (): RouteTarget => ({ queue: 'a', soft_time_limit: 2, argsrepr: '…', expires: null })

    expect(await routedBy({ taskRoutes }, 'tasks.add')).toMatchObject({
      route: { routingKey: 'a' },
      options: { softTimeLimit: 2, argsRepr: '…' },
    })
  })

  it('are refused when no call has them', async () => {
    expect(() => routerOf({ taskRoutes: { 'a.*': { queue: 'a', expire: 5 } } })).toThrow(
      'unknown option "expire" for the route "a.*"; did you mean "expires"?',
    )
    await expect(routedBy({ taskRoutes: () => ({ serialiser: 'json' }) }, 'tasks.add')).rejects.toThrow(
      'unknown option "serialiser" for the route of tasks.add; did you mean "serializer"?',
    )
  })

  it('say how the exchange picks queues: a direct one is bypassed, another is published to', async () => {
    const taskRoutes = { 'a.*': { queue: 'a', routingKey: 'a.b', exchangeType: 'topic' } } as const

    const routed = await routedBy({ taskRoutes }, 'a.b')
    const direct = await routedBy({ taskRoutes: { 'a.*': { queue: 'a', routingKey: 'a.b' } } }, 'a.b')

    expect(routed.route).toEqual({ exchange: 'a', routingKey: 'a.b' })
    expect(direct.route).toEqual({ exchange: '', routingKey: 'a' })
  })
})

describe('exchanges', () => {
  const taskQueues = [
    { name: 'logs', exchange: 'events', exchangeType: 'topic', routingKey: 'log.#' } as const,
  ]

  it('of a topic queue are used with the key of the call', async () => {
    const routed = await routedBy({ taskQueues }, 'tasks.log', { queue: 'logs', routingKey: 'log.error' })

    expect(routed.route).toEqual({ exchange: 'events', routingKey: 'log.error' })
  })

  it('without a queue are published to as they are', async () => {
    const routed = await routedBy({ taskQueues }, 'tasks.log', {
      exchange: 'events',
      routingKey: 'log.error',
    })

    expect(routed).toMatchObject({ route: { exchange: 'events', routingKey: 'log.error' }, queue: undefined })
  })

  it('of an unknown type are refused', async () => {
    const unknown = { name: 'x', exchangeType: 'ring' }

    expect(() => routerOf({ taskQueues: [unknown as never] })).toThrow(ConfigError)
  })
})

describe('a configured queue', () => {
  it.each([
    ['a list', ['mails', { name: 'feeds' }]] as const,
    ['an object', { mails: null, feeds: {} }] as const,
  ])('that names no exchange shares the default one under its own name, in %s', async (_form, taskQueues) => {
    const input = { taskQueues, taskDefaultExchange: 'tasks', taskDefaultExchangeType: 'topic' } as const
    const queues = new QueueTable(resolveConfig({ ...input, taskDefaultRoutingKey: 'default' }))

    expect(queues.configured.map((queue) => queue.spec.bindings)).toEqual([
      [{ exchange: 'tasks', type: 'topic', routingKey: 'mails' }],
      [{ exchange: 'tasks', type: 'topic', routingKey: 'feeds' }],
    ])
    expect((await routedBy(input, 'tasks.add', { queue: 'mails' })).route).toEqual({
      exchange: 'tasks',
      routingKey: 'mails',
    })
  })

  it('is found by its alias too', async () => {
    const taskQueues = [{ name: 'mails-eu', alias: 'mails' }]

    expect((await routedBy({ taskQueues }, 'tasks.add', { queue: 'mails' })).route.routingKey).toBe(
      'mails-eu',
    )
  })

  it('that names an exchange has a direct one, whatever type the default exchange has', () => {
    const input = { taskQueues: [{ name: 'a', exchange: 'b' }], taskDefaultExchangeType: 'topic' } as const

    expect(new QueueTable(resolveConfig(input)).get('a').exchangeType).toBe('direct')
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

describe('the default queue', () => {
  it('has the key, the type and the priorities that settings give it', () => {
    const queues = new QueueTable(
      resolveConfig({
        taskDefaultQueue: 'work',
        taskDefaultRoutingKey: 'work.any',
        taskDefaultQueueType: 'quorum',
        taskQueueMaxPriority: 9,
      }),
    )

    expect(queues.defaultQueue.spec).toMatchObject({
      name: 'work',
      bindings: [{ exchange: 'work', type: 'direct', routingKey: 'work.any' }],
      arguments: { 'x-queue-type': 'quorum', 'x-max-priority': 9 },
    })
  })
})

describe('a queue that is not configured', () => {
  it('has the types that settings give to missing ones', () => {
    const queues = new QueueTable(
      resolveConfig({ taskCreateMissingQueueType: 'quorum', taskCreateMissingQueueExchangeType: 'topic' }),
    )

    expect(queues.get('new').spec).toMatchObject({
      bindings: [{ exchange: 'new', type: 'topic', routingKey: 'new' }],
      arguments: { 'x-queue-type': 'quorum' },
    })
    expect(queues.defaultQueue.spec.arguments).toEqual({})
  })

  it('is refused with a suggestion when missing queues are not created', async () => {
    const input = { taskQueues: [{ name: 'celery' }, { name: 'mails' }], taskCreateMissingQueues: false }

    await expect(routedBy(input, 'tasks.add', { queue: 'mail' })).rejects.toThrow(QueueNotFoundError)
    await expect(routedBy(input, 'tasks.add', { queue: 'mail' })).rejects.toThrow('did you mean "mails"?')
  })

  it('is made up otherwise', async () => {
    expect(await routedBy({}, 'tasks.add', { queue: 'new' })).toMatchObject({
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
    await expect(routedBy(input, 'tasks.add', { priority })).rejects.toThrow(
      `expected the priority of tasks.add to be ${range}, as the broker has them, got: ${priority}`,
    )
  })

  it('is refused when a route asks for it, and a byte is one on RabbitMQ', async () => {
    await expect(routedBy({ taskRoutes: { 'tasks.*': { priority: 10 } } }, 'tasks.add')).rejects.toThrow(
      '0 to 9',
    )
    expect(await routedBy({ broker: 'amqp://localhost' }, 'tasks.add', { priority: 255 })).toMatchObject({
      priority: 255,
    })
  })
})
