import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { node } from '../../support/child.js'

const script = fileURLToPath(new URL('./child/zone.js', import.meta.url))

describe("eight o'clock on a machine", () => {
  it.each([
    ['Asia/Tokyo', '2026-01-02', '2026-01-01T12:00:00Z', '2026-01-01T23:00:00.000Z'],
    // The night on which the clocks go forth, and the one on which they go back.
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00Z', '2026-03-08T12:00:00.000Z'],
    ['America/New_York', '2026-11-01', '2026-11-01T04:30:00Z', '2026-11-01T13:00:00.000Z'],
  ])(
    'in %s on %s is the same to beat and to an eta, and UTC unless enableUtc is off',
    async (zone, day, before, local) => {
      const { stdout, stderr } = await node(script, [day, before], { env: { TZ: zone } }).exited
      expect(stderr).toBe('')
      const seen: unknown = JSON.parse(stdout)

      const utc = `${new Date(Date.parse(before) + 16 * 3_600_000).toISOString().slice(0, 10)}T08:00:00.000Z`
      const named = `${new Date(Date.parse(before) + 21.5 * 3_600_000).toISOString().slice(0, 10)}T02:30:00.000Z`
      expect(seen).toEqual({ utc, local, oldName: local, named, naiveEta: local, dateEta: local })
    },
  )
})
