import { fileURLToPath } from 'node:url'

import { describe, expect, it } from '@jest/globals'

import { node } from '../support/child.js'
import { serviceUrl } from '../support/service-url.js'
import { randomName, tempFolder } from '../support/temp.js'

const PROGRAM = fileURLToPath(new URL('./child/send-only.js', import.meta.url))
const LIMIT_MS = 60_000

/** What a store's client keeps open once a task is sent: connections, timers, and why. */
const OPEN = [
  ['redis', 1, 0, 'no timer'],
  ['postgresql', 1, 1, 'its pool looks after idle connections'],
  ['mariadb', 1, 1, 'its pool looks after idle connections'],
  ['rabbitmq', 1, 2, 'heartbeats, sent and awaited'],
  ['mongodb-set', 3, 2, 'two connections look after the server, one is for commands'],
  ['fauxqs', 0, 0, 'a request of HTTP is over with its answer'],
] as const

describe.each(OPEN)('a process that only sends to %s', (service, connections, timers, why) => {
  const url = serviceUrl(service)
  const withServer = url === undefined ? it.skip : it

  withServer(
    `keeps ${connections} idle connections and ${timers} timers (${why}), and ends when its app is closed`,
    async () => {
      const sent = await node(PROGRAM, [url ?? '', randomName('sender')]).exited

      expect(sent).toMatchObject({ code: 0, stderr: '' })
      expect(JSON.parse(sent.stdout)).toEqual([
        ...Array<string>(connections).fill('TCPSocketWrap'),
        ...Array<string>(timers).fill('Timeout'),
      ])
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
