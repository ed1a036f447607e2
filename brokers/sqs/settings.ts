import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { booleanOption, driverOptions } from '../../src/broker/driver-options.js'
import { UnsupportedError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'
import { numberOption, recordOption, secondsOption, textOption, textsOption } from './option-forms.js'
import type { Options } from './option-forms.js'
import { readPredefined } from './predefined.js'
import type { PredefinedQueue } from './predefined.js'

/** A key pair; without one the SDK looks in the environment, the profile and the machine's role. */
export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** A role to take on by STS, and for how many seconds at a time. */
export interface AssumedRole {
  readonly arn: string
  readonly seconds: number
}

/** Where the service is and who asks. */
export interface Access {
  /** Left to the SDK when undefined. */
  readonly region: string | undefined
  /** Undefined for Amazon's own. */
  readonly endpoint: string | undefined
  readonly keys: KeyPair | undefined
  readonly role: AssumedRole | undefined
  /** Longest wait for an answer beside a long poll's own, in milliseconds. */
  readonly answerMs: number
}

/** A broker's URL and transport options, read. */
export interface SqsSettings {
  readonly access: Access
  readonly label: string
  readonly prefix: string
  /** Queues by name; when there is one, no queue is looked up or made. */
  readonly predefined: ReadonlyMap<string, PredefinedQueue>
  /** Seconds, an attribute of queues that are made here; Lovage's claims have their own. */
  readonly visibilityTimeout: number
  readonly creationAttributes: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** Longest long poll in seconds. */
  readonly waitSeconds: number
  readonly isBase64: boolean
  readonly attributeNames: readonly string[]
  /** Overrules what the queue says of itself, in bytes. */
  readonly maxMessageBytes: number | undefined
  /** How long after its receipt the service lets a message be hidden, in milliseconds. */
  readonly ceilingMs: number
}

/** Kombu's options of the transport and Lovage's own; some have nothing to steer here. */
const OPTIONS: readonly string[] = [
  'region',
  'regioninfo',
  'is_secure',
  'port',
  'endpoint_url',
  'client-config',
  'session_token',
  'sts_role_arn',
  'sts_token_timeout',
  'sts_token_buffer_time',
  'queue_name_prefix',
  'predefined_queues',
  'predefined_exchanges',
  'supports_fanout',
  'visibility_timeout',
  'sqs-creation-attributes',
  'queue_tags',
  'polling_interval',
  'wait_time_seconds',
  'sqs_base64_encoding',
  'fetch_message_attributes',
  'max_message_size',
  'visibility_ceiling',
  'answer_timeout',
]

const ANSWER_MS = 5_000
const TWELVE_HOURS_MS = 12 * 3_600_000

/** Read the settings of a broker. @throws `ConfigError` for an unknown option or a value that does not fit. */
export function readSettings(
  url: ConnectionUrl,
  transportOptions: Readonly<Record<string, unknown>> | undefined,
): SqsSettings {
  const options = driverOptions(url, transportOptions, OPTIONS)
  refuseFanout(options)
  const access = readAccess(url, options)
  return {
    access,
    label: `sqs at ${access.endpoint ?? access.region ?? 'Amazon'}`,
    prefix: textOption(options, 'queue_name_prefix') ?? '',
    predefined: readPredefined(options.get('predefined_queues')),
    visibilityTimeout: Math.round((secondsOption(options, 'visibility_timeout') ?? 1_800_000) / 1000),
    creationAttributes: recordOption(options, 'sqs-creation-attributes'),
    tags: recordOption(options, 'queue_tags'),
    waitSeconds: Math.min(20, Math.round((secondsOption(options, 'wait_time_seconds') ?? 20_000) / 1000)),
    isBase64: booleanOption(options, 'sqs_base64_encoding', true),
    attributeNames: attributeNames(options),
    maxMessageBytes: numberOption(options, 'max_message_size'),
    ceilingMs: secondsOption(options, 'visibility_ceiling') ?? TWELVE_HOURS_MS,
  }
}

function readAccess(url: ConnectionUrl, options: Options): Access {
  const { username, password } = url
  const sessionToken = textOption(options, 'session_token')
  const role = textOption(options, 'sts_role_arn')
  const endpoint = endpointOf(url, options)
  return {
    region: textOption(options, 'region') ?? (endpoint === undefined ? undefined : 'us-east-1'),
    endpoint,
    keys:
      username === undefined || password === undefined
        ? undefined
        : {
            accessKeyId: username,
            secretAccessKey: password,
            ...(sessionToken !== undefined && { sessionToken }),
          },
    role:
      role === undefined
        ? undefined
        : { arn: role, seconds: (secondsOption(options, 'sts_token_timeout') ?? 900_000) / 1000 },
    answerMs: secondsOption(options, 'answer_timeout') ?? ANSWER_MS,
  }
}

/** @source kombu 5.7, `kombu/transport/SQS`, `Channel.endpoint_url`: plain HTTP unless `is_secure`. */
function endpointOf(url: ConnectionUrl, options: Options): string | undefined {
  const given = textOption(options, 'endpoint_url')
  if (given !== undefined || url.host === '') return given
  const isAmazon = /\.amazonaws\.com(\.cn)?$/.test(url.host)
  const scheme = booleanOption(options, 'is_secure', isAmazon) ? 'https' : 'http'
  const port = url.port ?? numberOption(options, 'port')
  const host = url.host.includes(':') ? `[${url.host}]` : url.host
  return `${scheme}://${host}${port === undefined ? '' : `:${String(port)}`}`
}

function attributeNames(options: Options): readonly string[] {
  const value = options.get('fetch_message_attributes')
  return textsOption(isRecord(value) ? value['MessageAttributeNames'] : value, 'fetch_message_attributes')
}

function refuseFanout(options: Options): void {
  const exchanges = options.get('predefined_exchanges')
  const asks = booleanOption(options, 'supports_fanout', false) || isRecord(exchanges)
  if (!asks) return
  throw new UnsupportedError(
    'broker "sqs" has no fanout exchanges: "supports_fanout" needs SNS, which it does not use',
  )
}
