import { describe, expect, it } from '@jest/globals'
import { Lovage, type LovageOptions } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { silentLogger, type TaskLogger } from '../../../src/task/logger.js'
import { randomName } from '../../support/temp.js'

const NOTE =
  /^nothing acts on these settings in this version: resultExchange \(.+\), redisMaxConnections \(.+\)$/

/** A logger that keeps its warnings. */
class Warnings {
  readonly lines: string[] = []
  readonly logger: TaskLogger = {
    ...silentLogger,
    warn: (_fields: object, message: string) => void this.lines.push(message),
    child: () => this.logger,
  }
}

function appOf(options: LovageOptions): Lovage {
  const settings = { redis_max_connections: 5, resultExchange: 'results', taskAcksLate: true }
  const app = new Lovage('inactive', { broker: `memory://${randomName('inactive')}` }, options)
  app.conf.update(settings)
  return app
}

describe('settings that nothing acts on are named once for an app', () => {
  it('at its first connection', async () => {
    const { logger, lines } = new Warnings()
    await using app = appOf({ logger })
    expect(lines).toEqual([])

    await app.sendTask('inactive.task')
    await app.sendTask('inactive.task')

    expect(lines).toEqual([expect.stringMatching(NOTE)])
  })

  it('when a worker starts', async () => {
    const { logger, lines } = new Warnings()
    await using app = appOf({ logger })
    await using worker = new Worker(app)

    await worker.start()

    expect(lines.filter((line) => NOTE.test(line))).toHaveLength(1)
  })

  it('in the log of a worker where the app has none', async () => {
    const { logger, lines } = new Warnings()
    await using app = appOf({})
    await app.sendTask('inactive.task')
    await using worker = new Worker(app, { logger })

    await worker.start()

    expect(lines.filter((line) => NOTE.test(line))).toHaveLength(1)
  })
})
