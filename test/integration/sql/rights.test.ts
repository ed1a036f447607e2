import { afterEach, describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../backends/sql/index.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { jsonCodec } from '../../conformance/index.js'
import { toRecord } from '../../conformance/backend/stage.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import { randomName } from '../../support/temp.js'
import { never, openBroker, textMessage } from './queue.js'

const onPostgresql = serviceUrl('postgresql') === undefined ? describe.skip : describe
const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Restricted {
  /** URL of the role that may not make tables. */
  readonly url: string
  readonly schema: string
  readonly role: string
  /** Run a statement as the owner of the tables. */
  readonly asOwner: (statement: string) => Promise<unknown>
}

/** The tables of a broker and a backend, and a role with the documented rights on them. */
async function restricted(scheme: '' | 'sqla+' = ''): Promise<Restricted> {
  const place = await sqlPlace('postgresql')
  if (place === undefined) throw new Error('postgresql is not there any more')
  closers.push(() => place.remove())
  const owner = await openBroker(`${scheme}${place.url}`, 'any')
  const backend = createBackend(parseConnectionUrl(place.url), { codec: jsonCodec })
  await backend.connect(never)
  await owner.close()
  await backend.close()
  const url = new URL(place.url)
  const schema = url.searchParams.get('schema') ?? ''
  const role = randomName('role').replaceAll('-', '_')
  const asOwner = async (statement: string): Promise<unknown> => place.knex.raw(statement)
  await asOwner(`CREATE ROLE ${role} LOGIN`)
  closers.push(() => asOwner(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  await asOwner(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
  await asOwner(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`)
  await asOwner(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`)
  url.username = role
  return { url: `${scheme}${url.href}`, schema, role, asOwner }
}

onPostgresql('the rights of a role of PostgreSQL', () => {
  it('are those of the guide, for messages and for results', async () => {
    const { url } = await restricted()
    const broker = await openBroker(url, 'orders')
    closers.push(() => broker.close())
    const backend = createBackend(parseConnectionUrl(url), { codec: jsonCodec })
    closers.push(() => backend.close())
    await backend.connect(never)

    await broker.publish([textMessage('orders', 'a')])
    await backend.store([toRecord('kept', { result: 3 })], { ttlMs: 0 })

    const consumer = await broker.consume(['orders'], { credit: 1, leaseMs: 30_000 })
    const deliveries = await consumer.fetch(1, { waitMs: 10_000, signal: never })
    expect(await consumer.ack(deliveries)).toEqual([])
    expect((await backend.load(['kept'])).get('kept')?.result).toBe(3)
  })

  it('are missed at the connect of a backend that may not take ids', async () => {
    const { url, schema, role, asOwner } = await restricted()
    await asOwner(`REVOKE USAGE ON SEQUENCE ${schema}.task_id_sequence FROM ${role}`)
    const backend = createBackend(parseConnectionUrl(url), { codec: jsonCodec })
    closers.push(() => backend.close())

    const grant = `GRANT USAGE ON SEQUENCE ${schema}.task_id_sequence TO ${role}`
    await expect(backend.connect(never)).rejects.toMatchObject({ code: 'LOVAGE_BACKEND', retryable: false })
    await expect(backend.connect(never)).rejects.toThrow(grant)

    await asOwner(grant)
    await backend.connect(never)
  })

  it('are missed at the connect of a broker that may not delete', async () => {
    const { url, schema, role, asOwner } = await restricted()
    await asOwner(`REVOKE UPDATE, DELETE ON ${schema}.lovage_message FROM ${role}`)
    const broker = createBroker(parseConnectionUrl(url), {})
    closers.push(() => broker.close())

    const grant = `GRANT UPDATE, DELETE ON ${schema}.lovage_message TO ${role}`
    await expect(broker.connect(never)).rejects.toMatchObject({ code: 'LOVAGE_BROKER', retryable: false })
    await expect(broker.connect(never)).rejects.toThrow(grant)

    await asOwner(grant)
    await broker.connect(never)
  })

  it("are missed at the connect of a broker that may not take ids of kombu's tables", async () => {
    const { url, schema, role, asOwner } = await restricted('sqla+')
    await asOwner(`REVOKE USAGE ON SEQUENCE ${schema}.message_id_sequence FROM ${role}`)
    const broker = createBroker(parseConnectionUrl(url), {})
    closers.push(() => broker.close())

    await expect(broker.connect(never)).rejects.toThrow(
      `GRANT USAGE ON SEQUENCE ${schema}.message_id_sequence TO ${role}`,
    )
  })
})
