import { describe, expect, test } from '@jest/globals'
import { maskUrl } from '../../../src/util/mask-url.js'

describe('maskUrl', () => {
  test.each([
    ['redis://:secret@host:6379/0', 'redis://:**@host:6379/0'],
    ['amqp://user:p%40ss@host//', 'amqp://user:**@host//'],
    ['amqp://user:p@ss@host//', 'amqp://user:**@host//'],
    ['db+postgresql+psycopg2://u:p:q@h/d', 'db+postgresql+psycopg2://u:**@h/d'],
    ['sentinel://:a@h1:1;sentinel://:b@h2:2', 'sentinel://:**@h1:1;sentinel://:**@h2:2'],
    [
      'cannot reach redis://u:p@h/0, tried amqp://g:g@r//',
      'cannot reach redis://u:**@h/0, tried amqp://g:**@r//',
    ],
    ['redis://h/0?password=secret&db=1', 'redis://h/0?password=**&db=1'],
    ['amqp://guest@host//', 'amqp://guest@host//'],
    ['sqlite:///file.db', 'sqlite:///file.db'],
    ['write to me@example.org: now', 'write to me@example.org: now'],
    ['', ''],
  ])('shows %s as %s', (text, masked) => {
    expect(maskUrl(text)).toBe(masked)
  })
})
