import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { embeddedPath } from '../../../../src/util/package-folder.js'
import { prepareFile } from '../../../../brokers/sql/settings/sqlite-settings.js'
import { parseSettings, sqlStoreId } from '../../../../brokers/sql/settings/database-settings.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { ConfigError } from '../../../../src/errors/errors.js'
import { tempFolder } from '../../../support/temp.js'

function target(url: string, options?: Readonly<Record<string, unknown>>): ReturnType<typeof parseSettings> {
  return parseSettings(parseConnectionUrl(url), options)
}

describe('parseSettings', () => {
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
    expect(sqlStoreId(own)).not.toBe(sqlStoreId(shared))
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

describe.each(['postgresql', 'mysql'])('the result tables on %s', (scheme) => {
  it.each([
    ['names', 'databaseTableNames'],
    ['schemas', 'databaseTableSchemas'],
  ])('are refused where %s names another one', (key, setting) => {
    const misspelled = { resultTables: { [key]: { taks: 'shop' } } }

    expect(() => target(`${scheme}://h/db`, misspelled)).toThrow(
      `unknown option "taks" for ${setting}; did you mean "task"?`,
    )
  })
})

describe('a URL as providers print it', () => {
  it('is read on PostgreSQL', () => {
    const url =
      'postgresql://u:p@h/db?sslmode=require&channel_binding=require&application_name=shop&connect_timeout=7' +
      '&options=-c%20search_path%3Dshop&target_session_attrs=read-write&client_encoding=utf8'

    expect(target(url)).toMatchObject({
      login: {
        applicationName: 'shop',
        startOptions: '-c search_path=shop',
        connectTimeoutMs: 7000,
        bindsChannel: true,
        tls: { rejectUnauthorized: false },
      },
    })
  })

  it('is read on MySQL', async () => {
    await using folder = await tempFolder('ca')
    await writeFile(folder.file('ca.pem'), 'the certificate')

    expect(target(`mysql://u:p@h/db?charset=utf8mb4&ssl_ca=${folder.file('ca.pem')}`)).toMatchObject({
      login: { tls: { rejectUnauthorized: true, ca: 'the certificate' }, socketPath: undefined },
    })
    expect(target('mysql://u@h/db?ssl-mode=REQUIRED')).toMatchObject({ login: { tls: {} } })
    expect(target('mysql://u@/db?unix_socket=/run/mysqld/mysqld.sock')).toMatchObject({
      login: { tls: undefined, socketPath: '/run/mysqld/mysqld.sock' },
    })
  })

  it.each([
    ['postgresql://h/db?channel_binding=require', /needs TLS/],
    ['postgresql://h/db?channel_binding=always', /disable, prefer, require/],
    ['postgresql://h/db?target_session_attrs=standby', /read-write/],
    ['postgresql://h/db?client_encoding=latin1', /utf8/],
    ['postgresql://h/db?unix_socket=/s', /unknown option/],
    ['mysql://h/db?charset=latin1', /utf8mb4/],
    ['mysql://h/db?ssl_ca=/nowhere/ca.pem', /cannot be read/],
  ])('is refused where it cannot be obeyed: %s', (url, advice) => {
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
