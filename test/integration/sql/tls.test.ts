import { readFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Knex } from 'knex'
import { makeCertificates } from '../../support/certificates.js'
import type { Certificates } from '../../support/certificates.js'
import { run } from '../../support/child.js'
import { OwnServer } from '../../support/own-server.js'
import { serviceUrl } from '../../support/service-url.js'
import { randomName, tempFolder } from '../../support/temp.js'
import { openBroker } from './queue.js'

const require = createRequire(import.meta.url)
const describePostgresql = serviceUrl('postgresql') === undefined ? describe.skip : describe
const folder = await tempFolder('tls')

afterAll(() => folder.remove())

const [certificate, key] = [folder.file('cert.pem'), folder.file('key.pem')]

describePostgresql('a PostgreSQL that asks for a certificate', () => {
  let server: OwnServer
  let admin: Knex

  beforeAll(async () => {
    server = await OwnServer.open('postgresql')
    const knex: (config: Knex.Config) => Knex = require('knex')
    admin = knex({ client: 'pg', connection: server.url(), pool: { min: 0, max: 1 } })
    await makeCertificate()
    await askForCertificates(admin)
  }, 60_000)

  afterAll(async () => {
    await admin?.destroy()
    await server?.[Symbol.asyncDispose]()
  }, 20_000)

  function url(options: Readonly<Record<string, string>>): string {
    return `${server.url()}?${new URLSearchParams(options).toString()}`
  }

  it('is reached with both certificates checked', async () => {
    const files = { sslrootcert: certificate, sslcert: certificate, sslkey: key }
    const broker = await openBroker(url({ sslmode: 'verify-full', ...files }), randomName('queue'))

    const seen = await admin('pg_stat_ssl')
      .join('pg_stat_activity', 'pg_stat_ssl.pid', 'pg_stat_activity.pid')
      .where({ application_name: 'lovage', ssl: true })
    expect(seen.length).toBeGreaterThan(0)
    await broker.close()
  })

  it.each([
    ['its own certificate is from nobody known', { sslmode: 'verify-full' }, /self-signed certificate/],
    ['the client shows none', { sslmode: 'require' }, /client certificate/],
  ])('is not reached when %s', async (_case, options, reason) => {
    await expect(openBroker(url(options), randomName('queue'))).rejects.toThrow(reason)
  })
})

const describeMariadb = serviceUrl('mariadb') === undefined ? describe.skip : describe

describeMariadb('a MariaDB that asks for a certificate', () => {
  let server: OwnServer
  let files: Certificates

  beforeAll(async () => {
    files = await makeCertificates(folder)
    for (const path of [folder.path, files.ca, files.server.cert, files.server.key]) await chmod(path, 0o755)
    const { cert, key: serverKey } = files.server
    const tls = [`--ssl-ca=${files.ca}`, `--ssl-cert=${cert}`, `--ssl-key=${serverKey}`]
    server = await OwnServer.open('mariadb', tls)
    const knex: (config: Knex.Config) => Knex = require('knex')
    const admin = knex({ client: 'mysql2', connection: server.url(), pool: { min: 0, max: 1 } })
    await admin.raw("ALTER USER 'lovage'@'127.0.0.1' REQUIRE SUBJECT '/CN=guest'")
    await admin.destroy()
  }, 60_000)

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  }, 20_000)

  function url(options: Readonly<Record<string, string>>): string {
    return `${server.url()}?${new URLSearchParams(options).toString()}`
  }

  it('is reached with both certificates checked', async () => {
    const { cert, key: clientKey } = files.client
    const options = { sslmode: 'verify-full', sslrootcert: files.ca, sslcert: cert, sslkey: clientKey }
    const broker = await openBroker(url(options), randomName('queue'))

    expect(await broker.queues?.()).toHaveLength(1)
    await broker.close()
  })

  it.each([
    ['its own certificate is from nobody known', { sslmode: 'verify-full' }, /self-signed certificate/],
    ['the client shows none', { sslmode: 'require' }, /Access denied/],
    ['the connection is plain', {}, /Access denied/],
  ])('is not reached when %s', async (_case, options, reason) => {
    await expect(openBroker(url(options), randomName('queue'))).rejects.toThrow(reason)
  })
})

/** One certificate for everybody: of the server's address, of the user, and of itself. */
async function makeCertificate(): Promise<void> {
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=lovage', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', key, '-out', certificate],
  ])
  expect(made.code).toBe(0)
}

/** The server writes its files by itself, as the user that it runs as. */
async function askForCertificates(admin: Knex): Promise<void> {
  const write = async (text: string, command: string): Promise<void> => {
    const lines = text.trim().split('\n').join("'),('")
    await admin.raw(`COPY (VALUES ('${lines}')) TO PROGRAM 'umask 077; ${command}'`)
  }
  await write(readFileSync(certificate, 'utf8'), 'cat > cert.pem')
  await write(readFileSync(key, 'utf8'), 'cat > key.pem')
  const rule = 'hostssl postgres lovage 127.0.0.1/32 cert'
  await write(rule, 'cat - pg_hba.conf > pg_hba.new; mv pg_hba.new pg_hba.conf')
  const settings = { ssl: 'on', ssl_cert_file: 'cert.pem', ssl_key_file: 'key.pem', ssl_ca_file: 'cert.pem' }
  for (const [name, value] of Object.entries(settings))
    await admin.raw(`ALTER SYSTEM SET ${name} = '${value}'`)
  await admin.raw('SELECT pg_reload_conf()')
}
