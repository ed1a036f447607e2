import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { newEntry } from '../../../../brokers/sqs/entries.js'
import { readEnvelope, toMessage } from '../../../../brokers/sqs/envelope.js'
import { readPredefined } from '../../../../brokers/sqs/predefined.js'
import { serviceName } from '../../../../brokers/sqs/queue-name.js'
import type { QueueRef } from '../../../../brokers/sqs/queue-ref.js'
import { SqsService } from '../../../../brokers/sqs/service.js'
import { readSettings } from '../../../../brokers/sqs/settings.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { isRecord } from '../../../../src/util/record.js'
import { projectRoot } from '../../../support/child.js'

const { access } = readSettings(parseConnectionUrl('sqs://KEY:secret@127.0.0.1:1'), {})

function refOf(name: string): QueueRef {
  const service = new SqsService(access, 'sqs')
  return { name, url: `http://127.0.0.1:1/0/${name}`, isFifo: name.endsWith('.fifo'), service }
}

/** What Celery asked of the service when this was recorded, the last request of its kind. */
function recorded(path: string): Readonly<Record<string, unknown>> {
  const vector: unknown = JSON.parse(readFileSync(`${projectRoot}test/vectors/${path}.json`, 'utf8'))
  const calls = isRecord(vector) && Array.isArray(vector['api_calls']) ? vector['api_calls'] : []
  const found = calls.filter(isRecord).findLast(({ api }) => api === 'SendMessage')?.['params']
  return isRecord(found) ? found : {}
}

interface Case {
  readonly properties: Readonly<Record<string, unknown>>
  readonly parameters: Readonly<Record<string, unknown>>
}

/** Properties of a message and what Celery 5.7 made of them. */
function sendOptions(): readonly Case[] {
  const text = readFileSync(`${projectRoot}test/vectors/celery-5.7.0/sqs/send-options.json`, 'utf8')
  const vector: unknown = JSON.parse(text)
  const cases = isRecord(vector) && Array.isArray(vector['cases']) ? vector['cases'].filter(isRecord) : []
  return cases.map(({ properties, api_calls }) => {
    const [call]: readonly unknown[] = Array.isArray(api_calls) ? api_calls : []
    const parameters = isRecord(call) ? call['parameters'] : undefined
    return {
      properties: isRecord(properties) ? properties : {},
      parameters: isRecord(parameters) ? parameters : {},
    }
  })
}

const message = (body: string) => toMessage(readEnvelope(body, 0), 'celery')

describe('messages on SQS', () => {
  it.each(['add-plain', 'plain-json-body', 'fifo-properties', 'message-attributes'])(
    'are read as Celery wrote them, in base64 or not: %s',
    (name) => {
      const { MessageBody } = recorded(`celery-5.6.3/sqs/${name}`)

      const { message: read, route } = message(String(MessageBody))

      expect(read.headers).toMatchObject({ lang: 'py', task: 'proj.tasks.add' })
      expect(JSON.parse(Buffer.from(read.body).toString())).toHaveLength(3)
      expect(read).toMatchObject({ contentType: 'application/json', contentEncoding: 'utf-8' })
      expect(route.exchange).toBe('')
    },
  )

  it.each([
    ['add-plain', true],
    ['plain-json-body', false],
  ] as const)('are written as Celery writes them: %s', (name, isBase64) => {
    const body = String(recorded(`celery-5.6.3/sqs/${name}`)['MessageBody'])
    const { message: read, route } = message(body)

    const entry = newEntry({ message: read, route }, refOf('celery'), { isBase64, now: 0 })

    const fieldsOf = (text: string): unknown => readEnvelope(text, 0).fields
    const theirs = fieldsOf(body)
    expect(isBase64 ? entry.body : entry.body.slice(0, 1)).toMatch(isBase64 ? /^[A-Za-z0-9+/=]+$/ : /^\{/)
    const tag = { properties: { delivery_tag: expect.any(String) } }
    expect(fieldsOf(entry.body)).toMatchObject({ ...(isRecord(theirs) ? theirs : {}), ...tag })
  })

  it('carry group, deduplication and attributes where Celery puts them', () => {
    const fifo = recorded('celery-5.6.3/sqs/fifo-properties')
    const plain = recorded('celery-5.6.3/sqs/message-attributes')
    const form = { isBase64: true, now: 0 }
    const read = message(String(plain['MessageBody']))
    const extra = { message_attributes: plain['MessageAttributes'] }

    const grouped = newEntry(message(String(fifo['MessageBody'])), refOf('jobs.fifo'), form)
    const marked = newEntry(
      { ...read, message: { ...read.message, properties: { extra } } },
      refOf('celery'),
      form,
    )

    expect(grouped).toMatchObject({ groupId: 'g1', deduplicationId: 'd1' })
    expect(marked.attributes).toEqual(plain['MessageAttributes'])
    expect(readEnvelope(marked.body, 0).text).not.toContain('message_attributes')
  })

  it('are delayed and grouped by the properties that Celery 5.7 looks at', () => {
    const read = message(String(recorded('celery-5.6.3/sqs/add-plain')['MessageBody']))
    for (const { properties, parameters } of sendOptions()) {
      const isFifo = String(parameters['QueueUrl']).endsWith('.fifo')
      const outgoing = { ...read, message: { ...read.message, properties: { extra: properties } } }

      const entry = newEntry(outgoing, refOf(isFifo ? 'celery.fifo' : 'celery'), { isBase64: true, now: 0 })

      expect([properties, entry.delaySeconds]).toEqual([properties, Number(parameters['DelaySeconds'] ?? 0)])
      if (!isFifo) expect(entry.groupId).toBe(parameters['MessageGroupId'])
    }
  })

  it('go to queues named as Celery names them, and a name that the service refuses ends in a hash', () => {
    const url = String(recorded('celery-5.6.3/sqs/queue-name-translation')['QueueUrl'])

    expect(serviceName('app-', 'my.queue:1')).toBe(url.slice(url.lastIndexOf('/') + 1))
    expect(serviceName('', 'größe.fifo')).toMatch(/^gr__e-[0-9a-f]{16}\.fifo$/)
    expect(serviceName('', 'x'.repeat(100))).toMatch(/^x{63}-[0-9a-f]{16}$/)
  })
})

describe('options of SQS', () => {
  it('say where the service is', () => {
    const endpoint = (url: string, options = {}) =>
      readSettings(parseConnectionUrl(url), options).access.endpoint

    expect(endpoint('sqs://k:s@')).toBeUndefined()
    expect(endpoint('sqs://k:s@localhost:9324')).toBe('http://localhost:9324')
    expect(endpoint('sqs://k:s@localhost:9324', { is_secure: true })).toBe('https://localhost:9324')
    expect(endpoint('sqs://k:s@sqs.eu-west-1.amazonaws.com')).toBe('https://sqs.eu-west-1.amazonaws.com')
    expect(endpoint('sqs://k:s@', { endpoint_url: 'https://other' })).toBe('https://other')
  })

  it('that are not known are refused with the one that was meant', () => {
    const read = () => readSettings(parseConnectionUrl('sqs://'), { queue_name_prefx: 'x' })

    expect(read).toThrow('did you mean "queue_name_prefix"?')
  })

  it('name predefined queues by a URL, whose ending must fit', () => {
    expect(() => readPredefined({ jobs: {} })).toThrow('predefined queue "jobs" has no url')
    expect(() => readPredefined({ 'jobs.fifo': { url: 'https://x/1/jobs' } })).toThrow('.fifo')
    expect(readPredefined('{"jobs":{"url":"https://x/1/jobs"}}').get('jobs')).toMatchObject({
      url: 'https://x/1/jobs',
    })
  })
})
