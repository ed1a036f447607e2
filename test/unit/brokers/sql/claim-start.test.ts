import { describe, expect, it } from '@jest/globals'
import { ClaimStart } from '../../../../brokers/sql/claim-start.js'

const PLACE = { priority: 0, id: 7 }

describe('ClaimStart', () => {
  it('looks at everything as long as that is quick', () => {
    const passedOver = new ClaimStart()
    passedOver.claimed('celery', PLACE)

    expect(passedOver.places).toBeUndefined()
    passedOver.looked(10)

    expect(passedOver.places).toBeUndefined()
    expect(passedOver.untilWholeMs).toBeLessThanOrEqual(0)
  })

  it('begins after the last claimed row, and looks at everything for a tenth of the time, once that is slow', () => {
    const passedOver = new ClaimStart()
    passedOver.looked(1000)
    passedOver.claimed('celery', PLACE)

    expect(passedOver.places?.get('celery')).toEqual(PLACE)
    expect(passedOver.untilWholeMs).toBeGreaterThan(8000)
    expect(passedOver.untilWholeMs).toBeLessThanOrEqual(9000)
    passedOver.looked(1)

    expect(passedOver.places).toBeUndefined()
  })
})
