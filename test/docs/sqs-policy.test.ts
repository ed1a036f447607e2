import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { isRecord } from '../../src/util/record.js'
import { projectRoot } from '../support/child.js'

/** Actions of the policy that the guide shows. */
function allowed(): readonly string[] {
  const guide = readFileSync(join(projectRoot, 'docs/guide/sqs.md'), 'utf8')
  const policy: unknown = JSON.parse(/```json\n([\s\S]*?)```/.exec(guide)?.[1] ?? '')
  const statements: readonly unknown[] =
    isRecord(policy) && Array.isArray(policy['Statement']) ? policy['Statement'] : []
  return statements.flatMap((one) => (isRecord(one) ? [one['Action']].flat().map(String) : []))
}

it('the policy in the guide allows each action that the broker asks for, and no other', () => {
  const folder = join(projectRoot, 'brokers/sqs')
  const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  const asked = [...source.join('').matchAll(/new (\w+?)(?:Batch)?Command\(/g)].map(
    ([, name]) => `sqs:${name}`,
  )

  expect([...new Set(asked)].sort()).toEqual([...allowed()].sort())
})
