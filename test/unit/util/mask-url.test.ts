import { describe, expect, it } from '@jest/globals'
import { maskUrl, maskUrls } from '../../../src/util/mask-url.js'

describe('maskUrl', () => {
  it.each([
    ['amqp://u:777/x@host/v', 'amqp://u:**@host/v'],
    ['redis://:a?b#c d@host:6379/0', 'redis://:**@host:6379/0'],
    ['sqs://KEY:a/b+c@/', 'sqs://KEY:**@/'],
    ['amqp://u:x://y@z@host', 'amqp://u:**@host'],
    ['guest:secret@host://', 'guest:**@host://'],
    ['sqlite:////home/me@work:now/file.db', 'sqlite:////home/me@work:now/file.db'],
    [
      'sentinel://h/?master_name=m&sentinel_kwargs={"password": "x y"}&db=1',
      'sentinel://h/?master_name=m&sentinel_kwargs=**&db=1',
    ],
    ['redis://h/0?password=a;b#c d', 'redis://h/0?password=**'],
  ])('shows %s as %s', (url, masked) => {
    expect(maskUrl(url)).toBe(masked)
    expect(maskUrls(`cannot reach "${url}"`)).not.toMatch(/777|a\?b|a\/b|x:\/\/y/)
  })
})

describe('maskUrls', () => {
  it.each([
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
    ['amqp://u:777/x@host/v', 'amqp://u:**@host/v'],
    [
      'at file:///node_modules/@scope/a.js:1:2\n  at b@c',
      'at file:///node_modules/@scope/a.js:1:2\n  at b@c',
    ],
    ['redis://h:1/0 failed\nfor celery@host', 'redis://h:1/0 failed\nfor celery@host'],
    ['sqlite:///file.db', 'sqlite:///file.db'],
    ['write to me@example.org: now', 'write to me@example.org: now'],
    ['', ''],
  ])('shows %s as %s', (text, masked) => {
    expect(maskUrls(text)).toBe(masked)
  })
})
