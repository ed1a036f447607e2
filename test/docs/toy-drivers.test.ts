import { fileURLToPath } from 'node:url'

import { describe, expect, it } from '@jest/globals'

import { node } from '../support/child.js'

const examples = fileURLToPath(new URL('../../docs/example/', import.meta.url))

describe('the published conformance suite, under another test runner', () => {
  it.each([
    ['toy-broker', 80],
    ['toy-backend', 15],
  ])('is passed by the %s of the pages', async (name, least) => {
    await using child = node('--test-reporter=tap', [`${examples}${name}/suite.js`])

    const { code, stdout } = await child.exited

    expect(stdout).toContain('# fail 0')
    expect(Number(/# pass (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(least)
    expect(code).toBe(0)
  })
})
