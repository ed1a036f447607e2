import { describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'

import { Lovage } from '../../../src/index.js'
import { UnsupportedError } from '../../../src/errors/errors.js'
import type { TaskMessage, WireSignature } from '../../../src/message/task-message.js'
import { failedWith, followUps, hasFollowUps, isFollowedByChord } from '../../../src/task/follow-up.js'
import type { Outcome } from '../../../src/task/outcome.js'
import { toRequest, type TaskRequest } from '../../../src/task/request.js'
import { internalsOf } from '../../../src/util/internals.js'

const app = new Lovage('tests', { broker: `memory://${randomUUID()}`, backend: false })
const success: Outcome = { kind: 'success', value: 3, children: [] }
const failure: Outcome = {
  kind: 'failure',
  failure: { exception: { exc_type: 'E', exc_message: [], exc_module: 'm' }, traceback: '', message: 'E: ' },
  expected: false,
  children: [],
}

function sign(task: string, more: Partial<WireSignature> = {}): WireSignature {
  return { task, args: [], kwargs: {}, options: {}, ...more }
}

/** A running task as it was read from a message with this embed. */
async function running(
  embed: Partial<TaskMessage['embed']>,
): Promise<{ message: TaskMessage; request: TaskRequest }> {
  const { outgoing } = await internalsOf(app).sender.prepare({
    name: 'tests.first',
    args: [1],
    kwargs: {},
    options: { taskId: 'first', priority: 4, headers: { tenant: 'a' } },
    embed,
  })
  const message = internalsOf(app).readTask(outgoing.message)
  const deliveryInfo = {
    exchange: '',
    routingKey: 'math',
    queue: 'math',
    priority: 4,
    redelivered: false,
    deliveryCount: 1,
  }
  return { message, request: toRequest(message, { hostname: 'w@h', isEager: false, deliveryInfo }) }
}

async function publishedBy(
  embed: Partial<TaskMessage['embed']>,
  outcome: Outcome,
): Promise<readonly TaskMessage[]> {
  const { message, request } = await running(embed)
  const { publish } = await followUps(internalsOf(app).sender, message, request, outcome)
  return publish.map((outgoing) => internalsOf(app).readTask(outgoing.message))
}

describe('the end of a task', () => {
  it('brings nothing when the message carries nothing', async () => {
    const { request } = await running({})

    expect([success, failure].map((outcome) => hasFollowUps(request, outcome))).toEqual([false, false])
  })

  it('calls callbacks with the value before their own arguments', async () => {
    const callbacks = [
      sign('tests.second', { args: [16] }),
      sign('tests.third', { immutable: true, args: [7] }),
    ]

    expect(await publishedBy({ callbacks }, success)).toMatchObject([
      { task: 'tests.second', args: [3, 16], parentId: 'first', rootId: 'first' },
      { task: 'tests.third', args: [7] },
    ])
  })

  it('runs the last element of a reversed chain, with the rest behind it', async () => {
    const chain = [sign('tests.third'), sign('tests.second', { options: { task_id: 'second', queue: 'q' } })]

    expect(await publishedBy({ chain }, success)).toMatchObject([
      { id: 'second', task: 'tests.second', args: [3], embed: { chain: [{ task: 'tests.third' }] } },
    ])
  })

  it('sends the members of a group, and the first of a chain, that are linked', async () => {
    const group = sign('celery.group', {
      subtask_type: 'group',
      kwargs: { tasks: [sign('tests.a'), sign('tests.b')] },
    })
    const chain = sign('celery.chain', {
      subtask_type: 'chain',
      kwargs: { tasks: [sign('tests.c'), sign('tests.d')] },
    })

    expect(await publishedBy({ callbacks: [group, chain] }, success)).toMatchObject([
      { task: 'tests.a', embed: { chain: null } },
      { task: 'tests.b' },
      { task: 'tests.c', embed: { chain: [{ task: 'tests.d' }] } },
    ])
  })

  it('makes one group of several callbacks, and lists it as one child', async () => {
    const { message, request } = await running({
      callbacks: [
        sign('tests.a', { options: { task_id: 'a' } }),
        sign('tests.b', { options: { task_id: 'b' } }),
      ],
    })

    const follow = await followUps(internalsOf(app).sender, message, request, success)

    const sent = follow.publish.map((outgoing) => internalsOf(app).readTask(outgoing.message))
    const gid = sent[0]?.groupId
    expect(gid).toEqual(expect.any(String))
    expect(sent).toMatchObject([
      { id: 'a', groupId: gid, groupIndex: 0, args: [3] },
      { id: 'b', groupId: gid, groupIndex: 1, args: [3] },
    ])
    expect(follow.children).toEqual([
      [
        [gid, null],
        [
          [['a', null], null],
          [['b', null], null],
        ],
      ],
    ])
  })

  it('gives the members of a group its options, and those of a group in it their place', async () => {
    const inner = sign('celery.group', {
      subtask_type: 'group',
      kwargs: { tasks: [sign('tests.b'), sign('tests.c')] },
    })
    const group = sign('celery.group', {
      subtask_type: 'group',
      kwargs: { tasks: [sign('tests.a'), inner] },
      options: { task_id: 'gid', queue: 'math', root_id: null },
    })

    expect(await publishedBy({ callbacks: [group] }, success)).toMatchObject([
      { task: 'tests.a', groupId: 'gid', groupIndex: 0 },
      { task: 'tests.b', groupId: 'gid', groupIndex: 1 },
      { task: 'tests.c', groupId: 'gid', groupIndex: 2 },
    ])
  })

  it('gives the last task of a chain its id and links, and every task its errbacks', async () => {
    const chain = sign('celery.chain', {
      subtask_type: 'chain',
      args: [8],
      kwargs: { tasks: [sign('tests.a', { args: [9] }), { task: 'tests.b' }] },
      options: { task_id: 'last', link: sign('tests.linked'), link_error: [sign('tests.failed')] },
    })

    expect(await publishedBy({ callbacks: [chain] }, success)).toMatchObject([
      {
        task: 'tests.a',
        args: [3, 8, 9],
        embed: {
          callbacks: null,
          errbacks: [{ task: 'tests.failed' }],
          chain: [
            {
              task: 'tests.b',
              options: {
                task_id: 'last',
                link: [{ task: 'tests.linked' }],
                link_error: [{ task: 'tests.failed' }],
              },
            },
          ],
        },
      },
    ])
  })

  it('keeps the lineage of the running task whatever a signature says, and where its client waits', async () => {
    const { message, request } = await running({
      callbacks: [sign('tests.second', { options: { root_id: 'other', parent_id: 'other' } })],
    })

    const { publish } = await followUps(
      internalsOf(app).sender,
      message,
      { ...request, replyTo: 'client' },
      success,
    )

    expect(publish.map((outgoing) => internalsOf(app).readTask(outgoing.message))).toMatchObject([
      { rootId: 'first', parentId: 'first', properties: { replyTo: 'client' } },
    ])
  })

  it('refuses a chord by name, and a group that something follows', async () => {
    const group = sign('celery.group', { subtask_type: 'group', kwargs: { tasks: [sign('tests.a')] } })
    const chain = sign('celery.chain', {
      subtask_type: 'chain',
      kwargs: { tasks: [group, sign('tests.b')] },
    })

    await expect(publishedBy({ callbacks: [chain] }, success)).rejects.toBeInstanceOf(UnsupportedError)
    expect(isFollowedByChord({ callbacks: null, chain: [chain] })).toBe(true)
    expect(isFollowedByChord({ callbacks: null, chain: [chain, sign('tests.a')] })).toBe(false)
  })

  it('refuses a chord in a callback', async () => {
    const chord = sign('celery.chord', { subtask_type: 'chord' })

    await expect(publishedBy({ callbacks: [chord] }, success)).rejects.toBeInstanceOf(UnsupportedError)
  })

  it('calls errbacks with the id of the failed task, and names the elements that fail with it', async () => {
    const errbacks = [sign('tests.failed', { args: ['more'] })]
    const { message, request } = await running({
      errbacks,
      chain: [sign('tests.next', { options: { task_id: 'next' } })],
    })

    const follow = await followUps(internalsOf(app).sender, message, request, failure)

    expect(follow.publish.map((outgoing) => internalsOf(app).readTask(outgoing.message))).toMatchObject([
      { task: 'tests.failed', args: ['first', 'more'], parentId: 'first' },
    ])
    expect(follow.failedChain).toEqual(['next'])
  })

  it('calls errbacks after a rejection, and the others when one of them cannot be called', async () => {
    const errbacks = [sign('celery.chord', { subtask_type: 'chord' }), sign('tests.failed')]
    const rejected: Outcome = { kind: 'reject', reason: 'damaged', requeue: false, children: [] }

    expect(await publishedBy({ errbacks }, rejected)).toMatchObject([
      { task: 'tests.failed', args: ['first'] },
    ])
    expect(await publishedBy({ errbacks: [sign('tests.failed')] }, { ...rejected, requeue: true })).toEqual(
      [],
    )
  })

  it('names whoever waits for a part of a chain that will not come', async () => {
    const id = (task_id: string): Partial<WireSignature> => ({ options: { task_id } })
    const group = sign('celery.group', {
      ...id('gid'),
      subtask_type: 'group',
      kwargs: { tasks: [sign('tests.a', id('a')), sign('tests.b')] },
    })
    const chord = sign('celery.chord', {
      ...id('header'),
      subtask_type: 'chord',
      kwargs: { body: sign('tests.c', id('body')) },
    })
    const { request } = await running({ chain: [group, chord, sign('tests.next', id('next'))] })

    expect(failedWith(request, failure)).toEqual(['gid', 'a', 'header', 'body', 'next'])
    expect(failedWith(request, success)).toEqual([])
  })

  it('lists what it published as children, after what the body sent', async () => {
    const { message, request } = await running({
      callbacks: [sign('tests.second', { options: { task_id: 'second' } })],
    })

    const follow = await followUps(internalsOf(app).sender, message, request, {
      ...success,
      children: [[['own', null], null]],
    })

    expect(follow.children).toEqual([
      [['own', null], null],
      [['second', null], null],
    ])
  })
})

describe('a retry', () => {
  const retry = (more: object): Outcome => ({
    kind: 'retry',
    retry: { failure: failure.kind === 'failure' ? failure.failure : neverHere(), ...more },
    children: [],
  })

  it('keeps id, lineage, links, headers and queue, and counts', async () => {
    const callbacks = [sign('tests.second')]
    const { message, request } = await running({ callbacks })

    const { publish } = await followUps(
      internalsOf(app).sender,
      message,
      request,
      retry({ countdownMs: 5000 }),
    )

    expect(publish).toMatchObject([{ route: { exchange: '', routingKey: 'math' }, delayMs: 5000 }])
    expect(publish.map((outgoing) => internalsOf(app).readTask(outgoing.message))).toMatchObject([
      {
        id: 'first',
        rootId: 'first',
        parentId: 'first',
        retries: 1,
        args: [1],
        headers: { tenant: 'a', argsrepr: '(1,)' },
        properties: { priority: 4 },
        embed: { callbacks },
      },
    ])
  })

  it('may change arguments, moment, queue and priority', async () => {
    const etaMs = Date.now() + 60_000
    const { message, request } = await running({})

    const { publish } = await followUps(
      internalsOf(app).sender,
      message,
      request,
      retry({ args: [2], kwargs: { a: 1 }, etaMs, queue: 'other', priority: 9 }),
    )

    expect(publish).toMatchObject([{ route: { routingKey: 'other' }, notBeforeMs: etaMs }])
    expect(publish.map((outgoing) => internalsOf(app).readTask(outgoing.message))).toMatchObject([
      { args: [2], kwargs: { a: 1 }, etaMs, headers: { argsrepr: '(2,)' }, properties: { priority: 9 } },
    ])
  })
})

function neverHere(): never {
  throw new Error('the failure above is one')
}
