import { describe, expect, test } from '@jest/globals'

import { node, projectRoot } from '../support/child.js'

describe('the pages', () => {
  test('show the code of the examples as it is, and link to what exists', async () => {
    await using check = node(`${projectRoot}test/docs/include-code.mjs`)

    const { code, stderr } = await check.exited

    expect(stderr).toBe('')
    expect(code).toBe(0)
  })
})
