import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'

/** What no test can show with the servers at hand. To add a line here is a decision, not an accident. */
const accepted = [
  'SQLite after a power cut',
  'macOS and Windows',
  'SQLite on a network file system',
  'Valkey',
  'MySQL 8',
  'Redis Cluster over a restart',
]

describe('the list of what cannot be proven', () => {
  it('has not grown unasked', async () => {
    const text = await readFile(new URL('../../../../test/unproven.json', import.meta.url), 'utf8')
    const entries: unknown = JSON.parse(text)

    expect(entries).toEqual(accepted.map((what) => ({ what, why: expect.stringMatching(/\w/) })))
  })
})
