import { describe, expect, it } from '@jest/globals'
import { withJoinedSentinels } from '../../../src/config/backend-choice.js'

describe('the sentinels of a list', () => {
  it.each([
    [['sentinel://a:1', 'sentinel://b:2'], ['sentinel://a:1,b:2/']],
    [['sentinel://:p@a:1/3', 'sentinel://b:2'], ['sentinel://:p@a:1,b:2/3']],
    [
      ['sentinel://a/0?master_name=m', 'redis://c', 'sentinel://b/0'],
      ['sentinel://a,b/0?master_name=m', 'redis://c'],
    ],
    [['sentinel://a:1,b:2/0'], ['sentinel://a:1,b:2/0']],
    [
      ['redis://a', 'redis://b'],
      ['redis://a', 'redis://b'],
    ],
  ])('are one URL: %j', (urls, joined) => {
    expect(withJoinedSentinels(urls)).toEqual(joined)
  })

  it.each([[['sentinel://:one@a', 'sentinel://:two@b']], [['sentinel://a/1', 'sentinel://b/2']]])(
    'are refused when they differ: %j',
    (urls) => {
      expect(() => withJoinedSentinels(urls)).toThrow('the same account and database')
      expect(() => withJoinedSentinels(urls)).not.toThrow(/one@|two@/)
    },
  )
})
