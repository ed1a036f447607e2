import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from '@jest/globals'

import { findOption } from '../../src/config/option/option-names.js'
import { projectRoot } from '../support/child.js'

interface Row {
  readonly camel: string
  readonly lower: string
  readonly old: string
}

/** Rows of the table of settings: our name, Celery's, the old one. */
function rows(): readonly Row[] {
  const page = readFileSync(join(projectRoot, 'docs/guide/coming-from-celery.md'), 'utf8')
  const table = page.slice(page.indexOf('| Lovage '))
  const found = [...table.matchAll(/^\| `(\w+)`[^|]*\| `([a-z_]+)` +\| `([A-Z_]+)` +\|/gm)]
  return found.map(([, camel = '', lower = '', old = '']) => ({ camel, lower, old }))
}

describe('the table of setting names', () => {
  it('is found', () => {
    expect(rows().length).toBeGreaterThan(25)
  })

  it.each(rows())('names one setting in $camel, $lower and $old', ({ camel, lower, old }) => {
    expect([findOption(camel)?.name, findOption(lower)?.name, findOption(old)?.name]).toEqual([
      camel,
      camel,
      camel,
    ])
  })
})
