import { describe, expect, it } from '@jest/globals'
import { Beat } from '../../src/beat/beat.js'
import { serviceUrl } from '../support/service-url.js'
import { redisPlace } from './support/place.js'
import { InteropStage } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const place = redisPlace(serviceUrl('redis'))

describe('periodic tasks of Celery and Lovage', () => {
  if (python === undefined || place === undefined) {
    it.skip('run where a Redis and Celery 5.7 are', () => undefined)
    return
  }

  it("are sent by Celery's beat and run by Lovage's worker", async () => {
    await using stage = await InteropStage.open(python, place)
    const path = stage.path()
    await stage.nodeWorker()
    const options = { queue: stage.settings.nodeQueue }
    await stage.pythonBeat({ tick: { task: 'node.note', schedule: 0.5, args: ['tick', path], options } })

    expect((await stage.lines(path, 3)).length).toBeGreaterThanOrEqual(3)
  }, 90_000)

  it("are sent by Lovage's beat, with Python's arguments and queue, and run by Celery's worker", async () => {
    await using stage = await InteropStage.open(python, place)
    const path = stage.path()
    await stage.pythonWorker()
    const beat = new Beat(stage.app)
    const options = { queue: stage.settings.pythonQueue }
    await stage.app.beat.upsert('tick', { task: 'py.note', schedule: 0.5, args: ['tick', path], options })
    const running = beat.run()

    expect((await stage.lines(path, 3)).length).toBeGreaterThanOrEqual(3)
    await beat.stop()
    await running
  }, 90_000)
})
