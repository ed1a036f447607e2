import { describe, expect, it } from '@jest/globals'
import { ServerRing } from '../../../../brokers/sql/server/server-ring.js'
import { parseSettings } from '../../../../brokers/sql/settings/database-settings.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'

const a = { host: 'a', port: 1 }
const b = { host: 'b', port: 5432 }

describe('servers that stand in for each other', () => {
  it('are tried in the order of the URL', () => {
    const target = parseSettings(parseConnectionUrl('postgresql://a:1,b/shop'))
    expect(target).toMatchObject({ login: { servers: [a, b] } })
  })

  it('take turns, and two who fail at one go on once', () => {
    const ring = new ServerRing([a, b])
    expect([ring.leave(a), ring.leave(a), ring.current]).toEqual([true, false, b])
    expect([ring.leave(b), ring.current]).toEqual([true, a])
  })

  it('are not left when there is one, or none that is known', () => {
    const [one, none] = [new ServerRing([a]), new ServerRing([])]
    expect([one.leave(a), one.current, none.leave(undefined), none.current]).toEqual([
      false,
      a,
      false,
      undefined,
    ])
  })
})
