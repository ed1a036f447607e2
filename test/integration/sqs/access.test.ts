import { createServer } from 'node:http'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { createBroker } from '../../../brokers/sqs/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { DriverMissingError, LovageError } from '../../../src/errors/errors.js'
import type { SqsRequest } from '../../support/sqs-gate.js'
import { SqsGate } from '../../support/sqs-gate.js'
import { never } from './stage.js'

const KEYS = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_REGION',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
] as const
const before = KEYS.map((name) => [name, process.env[name]] as const)

afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
})

/** What a broker of this URL asks first; `AT` stands for a server that answers. */
async function firstRequest(
  url: string,
  transportOptions: Readonly<Record<string, unknown>> = {},
): Promise<SqsRequest | undefined> {
  await using gate = await SqsGate.open('sqs://127.0.0.1:1')
  gate.instead = () => ({ status: 200, body: { QueueUrls: [] } })
  const host = gate.endpoint.slice('http://'.length)
  const options = Object.entries(transportOptions).map(([name, value]) => [
    name,
    value === 'AT' ? gate.endpoint : value,
  ])
  const parsed = parseConnectionUrl(url.replace('AT', host))
  const broker = createBroker(parsed, { transportOptions: Object.fromEntries(options) })
  await broker.connect(never)
  await broker.close()
  return gate.requests[0]
}

const credential = (request: SqsRequest | undefined): string =>
  /Credential=(\S+?)\/\d{8}\/([^/]+)\/sqs/
    .exec(String(request?.headers['authorization']))
    ?.slice(1)
    .join(' ') ?? ''

describe('who asks SQS', () => {
  it('is named by the URL, percent-encoded, with the region in its query', async () => {
    const request = await firstRequest('sqs://KEY%2F1:se%2Fcret@AT?region=eu-central-1')

    expect(credential(request)).toBe('KEY/1 eu-central-1')
    expect(request?.action).toBe('ListQueues')
  })

  it('is named by the environment when the URL names nobody', async () => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'ENVKEY',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'session',
      AWS_REGION: 'ap-south-1',
    })

    const request = await firstRequest('sqs://', { endpoint_url: 'AT', region: 'us-west-2' })
    const own = await firstRequest('sqs://AT')

    expect(credential(request)).toBe('ENVKEY us-west-2')
    expect(request?.headers['x-amz-security-token']).toBe('session')
    expect(credential(own)).toMatch(/^ENVKEY /)
  })

  it('is the role of the machine where nothing else is said', async () => {
    const role = createServer((_request, response) => {
      response.end(
        JSON.stringify({
          AccessKeyId: 'ROLEKEY',
          SecretAccessKey: 'secret',
          Token: 'role-token',
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      )
    })
    await new Promise<void>((resolve) => role.listen(0, '127.0.0.1', resolve))
    const address = role.address()
    for (const name of KEYS) Reflect.deleteProperty(process.env, name)
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] =
      `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}/`

    const request = await firstRequest('sqs://AT?region=eu-west-1')
    role.close()

    expect(credential(request)).toBe('ROLEKEY eu-west-1')
    expect(request?.headers['x-amz-security-token']).toBe('role-token')
  })

  it('takes a session token with the keys of the URL', async () => {
    const request = await firstRequest('sqs://KEY:secret@AT', { session_token: 'given' })

    expect(request?.headers['x-amz-security-token']).toBe('given')
  })

  it('is told which package takes on a role, where it is not installed', async () => {
    const role = { sts_role_arn: 'arn:aws:iam::111122223333:role/worker' }

    const error = await firstRequest('sqs://KEY:secret@AT', role).catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(DriverMissingError)
    expect(error).toMatchObject({ message: expect.stringContaining('@aws-sdk/credential-providers') })
  })

  it.each([
    ['may not take on its role', 'sts:AssumeRole', 'LOVAGE_BROKER'],
    ['may only not list queues', 'sqs:listqueues', undefined],
  ])('%s: connecting says so where nothing else can work', async (_who, action, code) => {
    await using gate = await SqsGate.open('sqs://x:x@127.0.0.1:1?region=eu-west-1')
    const message = `User: arn:aws:iam::1:user/worker is not authorized to perform: ${action}`
    gate.instead = () => ({ status: 403, body: { __type: 'AccessDenied', message } })
    const broker = createBroker(parseConnectionUrl(gate.url), {})

    const error: unknown = await broker.connect(never).catch((thrown: unknown) => thrown)
    await broker.close()

    expect(error instanceof LovageError ? error.code : error).toBe(code)
  })

  it("hears nothing from the SDK about the version of Node: a worker's output is its log", async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)

    await firstRequest('sqs://KEY:secret@AT')
    const warnings = warn.mock.calls.map(([warning]) => String(warning))
    warn.mockRestore()

    expect(warnings).toEqual([])
  })
})
