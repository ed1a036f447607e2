import { describe, expect, it } from '@jest/globals'
import { nodeName } from '../../../src/worker/node-name.js'

describe('nodeName', () => {
  it.each([
    [undefined, 'celery@web-1.example.org'],
    ['', 'celery@web-1.example.org'],
    ['worker1@%h', 'worker1@web-1.example.org'],
    ['worker1@%n', 'worker1@web-1'],
    ['worker1@%n.%d', 'worker1@web-1.example.org'],
    ['worker1', 'celery@worker1'],
    ['%n', 'celery@web-1'],
    ['@box', 'celery@box'],
    ['worker1@', 'worker1@web-1.example.org'],
    ['100%%@%n', '100%@web-1'],
    ['w%i%I@%n', 'w0@web-1'],
    ['%x@%n', '%x@web-1'],
  ])('makes of %s the name %s', (pattern, expected) => {
    expect(nodeName(pattern, { host: 'web-1.example.org' })).toBe(expected)
  })
})
