import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { expect, it } from '@jest/globals'

import { node } from '../support/child.js'
import { tempFolder } from '../support/temp.js'

const DEMO = fileURLToPath(new URL('../../docs/example/demo.js', import.meta.url))

it('the demo shows everything as told, ends by itself with exit code 0 and leaves nothing behind', async () => {
  await using temporary = await tempFolder('demo-test')

  const demo = node(DEMO, [], { env: { TMPDIR: temporary.path, LOVAGE_BROKER_URL: 'memory://' } })
  const { code, stdout } = await demo.exited

  expect({ code, failed: /NOT AS EXPECTED.*/.exec(stdout)?.[0] }).toEqual({ code: 0, failed: undefined })
  expect(stdout).toContain('Everything as told')
  expect(await readdir(temporary.path)).toEqual([])
}, 120_000)
