import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { prepareFile } from '../../../brokers/sql/settings/sqlite-settings.js'
import { sqliteEngines, sqliteUrl } from '../../support/sqlite.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { openBroker, textMessage } from './queue.js'

async function modesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).sort()
  const modes = names.map(async (name) => [name, (await modeOf(join(folder, name))).toString(8)])
  return Object.fromEntries(await Promise.all(modes)) as Record<string, string>
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

describe.each(await sqliteEngines())('a SQLite file on %s', (engine) => {
  it('is readable by its owner only, and so are the files beside it', async () => {
    await using folder = await tempFolder('modes')
    const queue = randomName('queue')
    const broker = await openBroker(sqliteUrl(folder.file('queue.db'), engine), queue)

    await broker.publish([textMessage(queue, 'secret')])

    expect(await modesIn(folder.path)).toEqual({
      'queue.db': '600',
      'queue.db-shm': '600',
      'queue.db-wal': '600',
    })
    await broker.close()
  })
})

describe('the folder of the embedded file', () => {
  it('is open to its owner only', async () => {
    await using folder = await tempFolder('modes')

    prepareFile(folder.file('.lovage', 'queue.sqlite'))

    expect(await modeOf(folder.file('.lovage'))).toBe(0o700)
    expect(await modeOf(folder.file('.lovage', 'queue.sqlite'))).toBe(0o600)
  })
})
