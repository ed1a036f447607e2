import { fileURLToPath } from 'node:url'

import { describe, expect, it } from '@jest/globals'

import { node } from '../support/child.js'
import { serviceUrl } from '../support/service-url.js'
import { randomName, tempFolder } from '../support/temp.js'

const PROGRAM = fileURLToPath(new URL('./child/send-only.js', import.meta.url))
const LIMIT_MS = 60_000

/** Timers that a store's client needs for itself, and why. */
const TIMERS = [
  ['redis', 0, 'none'],
  ['postgresql', 1, 'its pool looks after idle connections'],
  ['mariadb', 1, 'its pool looks after idle connections'],
  ['rabbitmq', 2, 'heartbeats, sent and awaited'],
] as const

describe.each(TIMERS)('a process that only sends to %s', (service, timers, why) => {
  const url = serviceUrl(service)
  const withServer = url === undefined ? it.skip : it

  withServer(
    `has one idle connection and ${timers} timers (${why}), and ends when its app is closed`,
    async () => {
      const sent = await node(PROGRAM, [url ?? '', randomName('sender')]).exited

      expect(sent).toMatchObject({ code: 0, stderr: '' })
      expect(JSON.parse(sent.stdout)).toEqual(['TCPSocketWrap', ...Array<string>(timers).fill('Timeout')])
    },
    LIMIT_MS,
  )
})

it(
  'a process that only sends to a file has no connection, and ends when its app is closed',
  async () => {
    await using folder = await tempFolder('sender')

    const sent = await node(PROGRAM, [`sqlite:///${folder.file('q.sqlite')}`, 'sender']).exited

    expect(sent).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(sent.stdout)).not.toContain('TCPSocketWrap')
  },
  LIMIT_MS,
)
