import type { SQSClientConfig } from '@aws-sdk/client-sqs'
import { BrokerError, DriverMissingError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'
import type { AssumedRole, KeyPair } from './settings.js'

/** What the SDK takes for credentials. */
type Credentials = NonNullable<SQSClientConfig['credentials']>
type Provider = Extract<Credentials, (...args: never[]) => unknown>

const PACKAGE = '@aws-sdk/credential-providers'

/**
 * Credentials of a role, taken on when they are first needed and again before they end.
 *
 * @throws `DriverMissingError`, when used, without the package that talks to STS.
 */
export function roleCredentials(
  role: AssumedRole,
  keys: KeyPair | undefined,
  region: string | undefined,
): Provider {
  let provider: Provider | undefined
  return async (identity) => {
    provider ??= await load(role, keys, region)
    return provider(identity)
  }
}

async function load(
  role: AssumedRole,
  keys: KeyPair | undefined,
  region: string | undefined,
): Promise<Provider> {
  const module: unknown = await import(PACKAGE).catch((cause: unknown) => {
    throw new DriverMissingError('sqs', PACKAGE, { cause })
  })
  const make: unknown = isRecord(module) ? module['fromTemporaryCredentials'] : undefined
  if (!isFactory(make)) throw new BrokerError(`${PACKAGE} has no fromTemporaryCredentials`)
  return make({
    params: { RoleArn: role.arn, RoleSessionName: 'lovage', DurationSeconds: role.seconds },
    ...(keys !== undefined && { masterCredentials: keys }),
    ...(region !== undefined && { clientConfig: { region } }),
  })
}

function isFactory(value: unknown): value is (options: object) => Provider {
  return typeof value === 'function'
}
