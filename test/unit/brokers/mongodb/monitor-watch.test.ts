import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { MonitorWatch, type WatchedClient } from '../../../../brokers/mongodb/workaround/monitor-watch.js'

const address = 'localhost:27017'

/** Tells of heartbeats, and notes when it is closed and connected. */
class FakeClient extends EventEmitter {
  readonly calls: string[] = []
  isThere = true

  async close(): Promise<void> {
    this.calls.push('close')
  }

  async connect(): Promise<void> {
    this.calls.push('connect')
    if (!this.isThere) throw new Error('nobody is there')
  }

  begin(awaited = false): void {
    this.emit('serverHeartbeatStarted', { connectionId: address, awaited })
  }
}

describe('the watch over heartbeats', () => {
  let client: FakeClient
  let watch: MonitorWatch

  beforeEach(() => {
    jest.useFakeTimers()
    client = new FakeClient()
    watch = new MonitorWatch(client as unknown as WatchedClient, { answerMs: 1_000, newsMs: 2_000 })
    watch.start()
  })

  afterEach(async () => {
    await watch.stop()
    jest.useRealTimers()
  })

  it.each(['serverHeartbeatSucceeded', 'serverHeartbeatFailed'])(
    'leaves a client alone after %s',
    async (end) => {
      client.begin()
      client.emit(end, { connectionId: address })
      await jest.advanceTimersByTimeAsync(60_000)
      expect(client.calls).toEqual([])
    },
  )

  it('connects a client anew whose heartbeat does not end, once', async () => {
    client.begin()
    await jest.advanceTimersByTimeAsync(1_900)
    expect(client.calls).toEqual([])
    await jest.advanceTimersByTimeAsync(60_000)
    expect(client.calls).toEqual(['close', 'connect'])
  })

  it('gives a heartbeat that waits for news longer', async () => {
    client.begin(true)
    await jest.advanceTimersByTimeAsync(3_900)
    expect(client.calls).toEqual([])
    await jest.advanceTimersByTimeAsync(2_000)
    expect(client.calls).toEqual(['close', 'connect'])
  })

  it('tries again until the server is there', async () => {
    client.isThere = false
    client.begin()
    await jest.advanceTimersByTimeAsync(5_000)
    expect(client.calls.filter((call) => call === 'connect').length).toBeGreaterThan(1)
    client.isThere = true
    await jest.advanceTimersByTimeAsync(1_000)
    const tries = client.calls.length
    await jest.advanceTimersByTimeAsync(60_000)
    expect(client.calls).toHaveLength(tries)
  })

  it('forgets a member that has left', async () => {
    client.begin()
    client.emit('serverClosed', { address })
    await jest.advanceTimersByTimeAsync(60_000)
    expect(client.calls).toEqual([])
  })

  it('does nothing once it is stopped', async () => {
    client.begin()
    await watch.stop()
    await jest.advanceTimersByTimeAsync(60_000)
    expect(client.calls).toEqual([])
  })
})
