import { randomUUID } from 'node:crypto'
import { expect } from '@jest/globals'
import { signature } from '../../../src/index.js'
import { groupOf } from '../../../src/canvas/expand-signature.js'
import { calledBy, type InteropCase } from '../support/interop-case.js'

const WAIT = 20

/** What a message of Lovage's carries beside its task is executed by Python's worker. */
export const lovageCanvas: readonly InteropCase[] = calledBy('Lovage', [
  {
    feature: 'link',
    title: "Python's worker calls the callbacks of a Lovage message, in both languages",
    since52: true,
    run: async (stage) => {
      const [first, second, third] = [stage.path(), stage.path(), stage.path()]
      const { app } = stage
      const one = await app.sendTask('py.add', {
        args: [1, 2],
        link: signature('node.note', { args: [first] }),
      })
      const two = await app.sendTask('py.add', {
        args: [3, 4],
        link: [
          signature('node.note', { args: [second] }),
          signature('py.note', { args: [9, third], immutable: true }),
        ],
      })
      expect(await one.get(WAIT)).toBe(3)
      expect(await two.get(WAIT)).toBe(7)
      expect(await stage.lines(first)).toEqual(['3'])
      expect(await stage.lines(second)).toEqual(['7'])
      expect(await stage.lines(third)).toEqual(['9'])
      expect(await one.children()).toHaveLength(1)
      expect(await two.children()).toHaveLength(2)
    },
  },
  {
    feature: 'link with a group or a chain',
    title: "Python's worker calls a group that Lovage linked",
    since52: true,
    run: async (stage) => {
      const [first, second] = [stage.path(), stage.path()]
      const members = [
        signature('node.note', { args: [first] }).toJSON(),
        signature('py.note', { args: [second] }).toJSON(),
      ]
      const result = await stage.app.sendTask('py.add', { args: [1, 2], link: groupOf(members) })
      expect(await result.get(WAIT)).toBe(3)
      expect(await stage.lines(first)).toEqual(['3'])
      expect(await stage.lines(second)).toEqual(['3'])
    },
  },
  {
    feature: 'link_error',
    title: "Python's worker calls the errbacks of a Lovage message with the failed id, in both languages",
    since52: true,
    run: async (stage) => {
      const [first, second] = [stage.path(), stage.path()]
      const result = await stage.app.sendTask('py.fail', {
        args: ['boom'],
        linkError: [
          signature('node.note', { args: [first], options: { queue: stage.settings.nodeQueue } }),
          signature('py.failed_id', { kwargs: { path: second } }),
        ],
      })
      await expect(result.get(WAIT)).rejects.toThrow('boom')
      expect(await stage.lines(first)).toEqual([JSON.stringify(result.id)])
      expect(await stage.lines(second)).toEqual([JSON.stringify(result.id)])
    },
  },
  {
    feature: 'link_error with (request, exc, traceback)',
    title: "Python's worker calls an errback of its own that takes request, error and traceback",
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const linkError = signature('py.failed', { args: [path] })
      const result = await stage.app.sendTask('py.fail', { args: ['boom'], linkError })
      await expect(result.get(WAIT)).rejects.toThrow('boom')
      const [line = 'null'] = await stage.lines(path)
      expect(JSON.parse(line)).toEqual([result.id, 'ValueError', 'boom', true])
    },
  },
  {
    feature: 'replaced tasks',
    title: "a task of Python that replaces itself with one of Lovage's ends with its value",
    since52: true,
    notOn: { 'RabbitMQ with rpc': 'Celery sends the result of a replacement to its own worker' },
    run: async (stage) => {
      const path = stage.path()
      const link = signature('py.note', { args: [path] })
      const result = await stage.app.sendTask('py.replace', { args: ['node.add', 1, 2], link })
      expect(await result.get(WAIT)).toBe(3)
      expect(await stage.lines(path)).toEqual(['3'])
    },
  },
  {
    feature: 'root_id, parent_id, reply_to of later steps',
    title: "callbacks of a Lovage message have Celery's root_id and parent_id, whoever sent them",
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const result = await stage.app.sendTask('py.request', {
        link: signature('py.stamp_note', { args: [path] }),
        headers: { tenant: 'lovage' },
      })
      await result.get(WAIT)
      const [line = '{}'] = await stage.lines(path)
      expect(JSON.parse(line)).toMatchObject({ root_id: result.id, parent_id: result.id })
    },
  },
  {
    feature: 'retries with link and chain',
    title: "a retried task of Python calls Lovage's callback once, with the last value",
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const result = await stage.app.sendTask('py.retry', {
        args: [2],
        link: signature('node.note', { args: [path] }),
      })
      expect(await result.get(WAIT)).toBe(2)
      expect(await stage.lines(path)).toEqual(['2'])
    },
  },
  {
    feature: 'group',
    title: "Python's task sees the group and the place that Lovage gave it",
    since52: true,
    run: async ({ app }) => {
      const groupId = randomUUID()
      const result = await app.sendTask('py.request', { groupId, groupIndex: 300 })
      expect(await result.get(WAIT)).toMatchObject({ group: groupId, group_index: 300 })
    },
  },
  {
    feature: 'stamps',
    title: "Lovage's stamps reach Python's task unchanged",
    run: async ({ app }) => {
      const stamps = { tenant: 'lovage', tags: ['a', 'ü'], number: 300 }
      const result = await app.sendTask('py.request', { stamps })
      expect(await result.get(WAIT)).toMatchObject({ stamps, stamped_headers: ['tenant', 'tags', 'number'] })
    },
  },
])
