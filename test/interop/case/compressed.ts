import zlib from 'node:zlib'
import { expect } from '@jest/globals'
import { calledBy, type InteropCase } from '../support/interop-case.js'
import { sentWith } from '../support/sent-message.js'

const WAIT = 20
/** Bytes of a body with a text of 100,000 equal letters, once it is compressed. */
const SMALL: unknown = {
  asymmetricMatch: (bytes: unknown): boolean => typeof bytes === 'number' && bytes > 0 && bytes < 1_000,
  toString: () => 'fewer than 1,000 bytes',
}
/** Node has it from 22.15 on. */
const hasZstd = 'zstdCompressSync' in zlib

/** Compressors of the newer Celery, both ways. */
export const compressed: readonly InteropCase[] = [
  ...calledBy('Python', [
    {
      feature: 'compression with brotli or zstd',
      title: 'Lovage reads what Python compressed with brotli',
      run: async ({ python }) => {
        const code = `return call('node.wire', 'x' * 100000, compression='brotli')`
        expect(await python.run(code)).toEqual([100_000, SMALL])
      },
    },
    {
      feature: 'compression with brotli or zstd',
      title: 'Lovage reads what Python compressed with zstd, or names it in a FAILURE where Node has none',
      run: async ({ python }) => {
        const code = `
          sent = send('node.wire', 'x' * 100000, compression='zstd')
          return ${hasZstd ? 'sent.get(timeout=20)' : `'application/zstd' in str(raised(sent)['args'])`}`
        expect(await python.run(code)).toEqual(hasZstd ? [100_000, SMALL] : true)
      },
    },
  ]),
  ...calledBy('Lovage', [
    {
      feature: 'compression with brotli or zstd',
      title: 'Python reads what Lovage compressed with brotli',
      run: async ({ app }) => {
        const { result, message } = await sentWith(app, () =>
          app.sendTask('py.size', { args: ['x'.repeat(100_000)], compression: 'brotli' }),
        )
        expect(message.headers['compression']).toBe('application/x-brotli')
        expect(message.body.byteLength).toEqual(SMALL)
        expect(await result.get(WAIT)).toBe(100_000)
      },
    },
    {
      feature: 'compression with brotli or zstd',
      title: 'Python reads what Lovage compressed with zstd, and a Node that has none refuses to send it',
      run: async ({ app }) => {
        const sent = sentWith(app, () =>
          app.sendTask('py.size', { args: ['x'.repeat(100_000)], compression: 'zstd' }),
        )
        if (!hasZstd) {
          await expect(sent).rejects.toThrow(/Node has zstd from 22.15 on/)
          return
        }
        const { result, message } = await sent
        expect(message.headers['compression']).toBe('application/zstd')
        expect(message.body.byteLength).toEqual(SMALL)
        expect(await result.get(WAIT)).toBe(100_000)
      },
    },
  ]),
]
