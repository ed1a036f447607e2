import { expect, it } from '@jest/globals'
import { ClaimWindow } from '../../../src/worker/claim/claim-window.js'
import { ReadAhead } from '../../../src/worker/claim/read-ahead.js'
import { UnderWay } from '../../../src/worker/run/under-way.js'
import type { ItemClaims, SettleItem } from '../../../src/worker/settle/settle-item.js'

function newWindow(): ClaimWindow {
  const options = { concurrency: 2, prefetchMultiplier: Number.POSITIVE_INFINITY, readAheadMs: 0 }
  return new ClaimWindow({ ...options, readAhead: new ReadAhead(options) })
}

const newClaims = (): ItemClaims => ({ settler: { add: () => undefined }, release: () => undefined })

function newItem(claims: ItemClaims): SettleItem {
  const message = {
    body: new Uint8Array(),
    headers: {},
    properties: {},
    contentType: '',
    contentEncoding: '',
  }
  const route = { exchange: '', routingKey: 'q' }
  const delivery = { message, queue: 'q', route, deliveryCount: 1, redelivered: false, due: false, tag: '1' }
  return {
    delivery,
    claims,
    settlement: { delivery, publish: [] },
    acked: false,
    declares: undefined,
    stage: 'new',
    settled: () => undefined,
    refused: () => undefined,
  }
}

it('the settlements of a lost connection do not keep the worker from claiming elsewhere', () => {
  const window = newWindow()
  const underWay = new UnderWay(window)
  const [lost, connected] = [newClaims(), newClaims()]
  const stuck = newItem(lost)
  underWay.settling(stuck)
  underWay.settling(newItem(connected))

  underWay.lose(lost)
  underWay.settling(newItem(lost))
  expect([underWay.settlements, window.isSettled]).toEqual([3, false])
  const other = newItem(connected)
  underWay.settling(other)
  underWay.settled(other)
  underWay.settled(stuck)

  expect([underWay.settlements, window.isSettled]).toEqual([2, false])
})

it('a worker whose last settlements are those of a lost connection counts as settled', () => {
  const window = newWindow()
  const underWay = new UnderWay(window)
  const claims = newClaims()
  underWay.settling(newItem(claims))
  window.mode = 'one-by-one'
  expect([window.isSettled, window.room()]).toEqual([false, 0])

  underWay.lose(claims)

  expect([window.isSettled, window.room(), underWay.settlements]).toEqual([true, 1, 1])
})
