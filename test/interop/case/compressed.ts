import zlib from 'node:zlib'
import { expect } from '@jest/globals'
import { calledBy, type InteropCase } from '../support/interop-case.js'

const WAIT = 20
/** Node has it from 22.15 on. */
const hasZstd = 'zstdCompressSync' in zlib

/** Compressors of the newer Celery, both ways. */
export const compressed: readonly InteropCase[] = [
  ...calledBy('Python', [
    {
      feature: 'compression with brotli or zstd',
      title: 'Lovage reads what Python compressed with brotli',
      run: async ({ python }) => {
        expect(await python.run(`return call('node.size', 'x' * 100000, compression='brotli')`)).toBe(100_000)
      },
    },
    {
      feature: 'compression with brotli or zstd',
      title: 'Lovage reads what Python compressed with zstd, or names it in a FAILURE where Node has none',
      run: async ({ python }) => {
        const code = `
          sent = send('node.size', 'x' * 100000, compression='zstd')
          return ${hasZstd ? 'sent.get(timeout=20)' : `'application/zstd' in str(raised(sent)['args'])`}`
        expect(await python.run(code)).toBe(hasZstd ? 100_000 : true)
      },
    },
  ]),
  ...calledBy('Lovage', [
    {
      feature: 'compression with brotli or zstd',
      title: 'Python reads what Lovage compressed with brotli',
      run: async ({ app }) => {
        const result = await app.sendTask('py.size', {
          args: ['x'.repeat(100_000)],
          compression: 'brotli',
        })
        expect(await result.get(WAIT)).toBe(100_000)
      },
    },
    {
      feature: 'compression with brotli or zstd',
      title: 'Python reads what Lovage compressed with zstd, and a Node that has none refuses to send it',
      run: async ({ app }) => {
        const sent = app.sendTask('py.size', { args: ['x'.repeat(100_000)], compression: 'zstd' })
        if (hasZstd) expect(await (await sent).get(WAIT)).toBe(100_000)
        else await expect(sent).rejects.toThrow(/Node has zstd from 22.15 on/)
      },
    },
  ]),
]
