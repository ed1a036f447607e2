import { describe, expect, it } from '@jest/globals'
import { Child } from '../../support/child.js'
import { tempFolder } from '../../support/temp.js'

const start = (code: string): Child => new Child(process.execPath, ['-e', code])

describe('a child process of a test', () => {
  it('is awaited by a line that it writes', async () => {
    await using child = start(
      `setTimeout(() => console.log('ready on 1234'), 20); setInterval(() => {}, 1000)`,
    )

    expect(await child.waitForLine(/ready on \d+/)).toBe('ready on 1234')
  })

  it('fails the wait with its output when it ends first', async () => {
    await using child = start(`console.error('no such module'); process.exitCode = 3`)

    await expect(child.waitForLine('ready')).rejects.toThrow('no such module')
    expect(await child.exited).toMatchObject({ code: 3, signal: null })
  })

  it('is dead when the scope that owns it ends', async () => {
    let pid = 0
    {
      await using child = start(`console.log('up'); setInterval(() => {}, 1000)`)
      await child.waitForLine('up')
      pid = child.pid
    }

    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('that cannot be started ends with the reason', async () => {
    await using folder = await tempFolder()
    await using child = new Child(folder.file('missing'), [])

    expect(await child.exited).toMatchObject({
      code: -1,
      stderr: expect.stringContaining('ENOENT') as unknown,
    })
  })
})
