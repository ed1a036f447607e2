import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { embeddedPath, prepareFile } from '../../../../brokers/sql/sqlite-target.js'
import { isSameStore, parseTarget } from '../../../../brokers/sql/target.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { ConfigError } from '../../../../src/errors/errors.js'
import { tempFolder } from '../../../support/temp.js'

function target(url: string, options?: Readonly<Record<string, unknown>>): ReturnType<typeof parseTarget> {
  return parseTarget(parseConnectionUrl(url), options)
}

describe('parseTarget', () => {
  it('reads a relative path after three slashes and an absolute one after four', () => {
    expect(target('sqlite:///queue.db')).toMatchObject({ path: join(process.cwd(), 'queue.db') })
    expect(target('sqlite:////var/lib/queue.db')).toMatchObject({ path: '/var/lib/queue.db' })
    expect(target('db+sqlite:////var/lib/queue.db')).toMatchObject({ path: '/var/lib/queue.db' })
  })

  it('takes the embedded file for a URL without a path', () => {
    expect(target('sqlite://')).toMatchObject({ path: embeddedPath(process.cwd()) })
  })

  it('refuses a database in memory with advice', () => {
    expect(() => target('sqlite:///:memory:')).toThrow(ConfigError)
    expect(() => target('sqlite:///:memory:')).toThrow(/memory:\/\/ or a file/)
  })

  it("leaves SQLAlchemy's driver out of the scheme, and takes no other database for a file", () => {
    expect(target('db+postgresql+psycopg2://host/db')).toMatchObject({ kind: 'postgresql', layout: 'lovage' })
    expect(target('sqla+mysql+pymysql://host/db')).toMatchObject({ kind: 'mysql', layout: 'kombu' })
    expect(target('sqlite+pysqlite:///queue.db')).toMatchObject({ kind: 'sqlite' })
    expect(() => target('db+oracle://host/db')).toThrow(ConfigError)
  })

  it("keeps what stands beside kombu's tables apart from Lovage's own queue", () => {
    const own = target('postgresql://host/db')
    const shared = target('sqla+postgresql://host/db?message_tablename=their_message')

    expect(own.names).toMatchObject({ message: 'lovage_message', kombuMessage: 'kombu_message' })
    expect(shared.names).toMatchObject({ message: 'lovage_kombu_message', kombuMessage: 'their_message' })
    expect(isSameStore(own, shared)).toBe(false)
    expect(target('sqla+sqlite:///queue.db').names).toMatchObject({ message: 'lovage_kombu_message' })
  })

  it('reads options from the URL over those of the transport', () => {
    const read = target('sqlite:///q.db?engine=libsql&lockWait=0.5', {
      sqliteSynchronous: 'normal',
      lockWait: 9,
    })

    expect(read).toMatchObject({ engine: 'libsql', lockWaitMs: 500, synchronous: 'NORMAL', pollMs: 2000 })
  })

  it.each([
    ['sqlite:///q.db?engine=sqlite4', /node:sqlite, better-sqlite3, libsql/],
    ['sqlite:///q.db?sqliteSynchronous=maybe', /OFF, NORMAL, FULL, EXTRA/],
    ['sqlite:///q.db?lockWait=soon', /number of seconds/],
    ['sqlite:///q.db?enigne=libsql', /did you mean "engine"/],
  ])('refuses %s with what would be right', (url, advice) => {
    expect(() => target(url)).toThrow(ConfigError)
    expect(() => target(url)).toThrow(advice)
  })
})

describe('embeddedPath', () => {
  it('is beside the nearest package.json above the folder', async () => {
    await using folder = await tempFolder('embedded')
    await mkdir(folder.file('app', 'src'), { recursive: true })
    await writeFile(folder.file('app', 'package.json'), '{}')

    expect(embeddedPath(folder.file('app', 'src'))).toBe(folder.file('app', '.lovage', 'queue.sqlite'))
  })

  it('is in the folder itself when no package.json is above it', async () => {
    await using folder = await tempFolder('embedded')

    expect(embeddedPath(folder.path)).toBe(folder.file('.lovage', 'queue.sqlite'))
  })
})

describe('prepareFile', () => {
  it('makes the embedded folder, which git ignores', async () => {
    await using folder = await tempFolder('embedded')

    prepareFile(folder.file('.lovage', 'queue.sqlite'))

    expect(await readFile(folder.file('.lovage', '.gitignore'), 'utf8')).toBe('*\n')
  })

  it('makes no other folder', async () => {
    await using folder = await tempFolder('embedded')

    prepareFile(folder.file('data', 'queue.sqlite'))

    expect(existsSync(folder.file('data'))).toBe(false)
  })
})
