import { describe, expect, it } from '@jest/globals'
import type { Broker } from '../../../src/broker/contract.js'
import type { LeaseKeeper } from '../../../src/broker/lease-keeper.js'
import type { KeeperParts } from '../../../src/worker/lease/open-keeper.js'
import { ClaimBoard } from '../../../src/worker/lease/claim-board.js'
import { SharedKeepers } from '../../../src/worker/connection/shared-keepers.js'
import { ManualClock } from '../../support/manual-clock.js'
import { LogBook } from './harness.js'

/** A share whose keepers write down which of them live. */
function shareOf(): { readonly share: SharedKeepers; readonly live: Set<string> } {
  const live = new Set<string>()
  const open = ({ start }: KeeperParts): LeaseKeeper => {
    const url = start?.brokerUrl ?? ''
    live.add(url)
    return {
      hold: () => undefined,
      changed: () => undefined,
      reconcile: () => undefined,
      release: () => undefined,
      stop: async () => {
        live.delete(url)
      },
    }
  }
  const keeperStart = ({ name }: Broker): KeeperParts['start'] => ({
    moduleUrl: 'file:///none.js',
    brokerUrl: name,
    hasDriverSuffix: false,
    transportOptions: {},
    leaseMs: 1_000,
  })
  const settings = { leaseMs: 1_000, blockedLoopLimitMs: 60_000 }
  const host = { keeperStart, clock: new ManualClock(), logger: new LogBook() }
  return { share: new SharedKeepers(host, settings, new ClaimBoard(1), open), live }
}

function brokerNamed(name: string): Broker {
  return { name } as unknown as Broker
}

describe('the keepers of a worker with several brokers', () => {
  const lease = {
    holder: 'h',
    leases: { renews: 'holder' as const, renew: async () => ({ held: true, lostTags: [] }) },
    lost: () => undefined,
  }

  it('end where no session is any more, and not while claims are left there', async () => {
    const { share, live } = shareOf()

    const first = share.partsFor(brokerNamed('a'))
    first.keeper.hold(lease)
    share.partsFor(brokerNamed('b'))
    expect([...live]).toEqual(['a', 'b'])
    first.keeper.release('h')
    expect([...live]).toEqual(['b'])

    share.partsFor(brokerNamed('c'))
    expect([...live]).toEqual(['c'])
    await share.stopKeeper()
    expect(live.size).toBe(0)
  })

  it('go on from session to session on one broker', () => {
    const { share, live } = shareOf()

    const { keeper } = share.partsFor(brokerNamed('a'))
    keeper.hold(lease)
    keeper.release('h')
    share.partsFor(brokerNamed('a'))

    expect([...live]).toEqual(['a'])
  })
})
