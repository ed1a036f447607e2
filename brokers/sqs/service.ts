import { SQSClient } from '@aws-sdk/client-sqs'
import { LovageError } from '../../src/errors/errors.js'
import { ResponseClock } from './response-clock.js'
import { roleCredentials } from './credentials.js'
import { toFailure } from './failure.js'
import { quietSdk } from './quiet-sdk.js'
import type { Access } from './settings.js'

/** What a request may take beside its answer's usual time, and what ends it. */
export interface RequestOptions {
  /** How long the service was asked to wait, in milliseconds. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
}

/** Requests to the service: failures have a kind, and no answer is waited for without end. */
export class SqsService {
  readonly clock: ResponseClock = new ResponseClock()
  readonly #client: SQSClient
  readonly #label: string
  readonly #answerMs: number
  #requests = 0

  constructor(access: Access, label: string) {
    const { region, endpoint, keys, role } = access
    this.#label = label
    this.#answerMs = access.answerMs
    quietSdk()
    this.#client = new SQSClient({
      ...(region !== undefined && { region }),
      // The URL of a queue may name a host that only the server knows.
      ...(endpoint !== undefined && { endpoint, useQueueUrlAsEndpoint: false }),
      ...(keys !== undefined && { credentials: keys }),
      ...(role !== undefined && { credentials: roleCredentials(role, keys, region) }),
      maxAttempts: 2,
      // The connection is encrypted and checked; a digest of each body costs as much as the rest of the request.
      md5: false,
      requestHandler: {
        connectionTimeout: access.answerMs,
        httpAgent: { maxSockets: 256 },
        httpsAgent: { maxSockets: 256 },
      },
    })
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args)
        this.clock.noteHeader(result.response)
        return result
      },
      { step: 'deserialize', name: 'lovageResponseClock' },
    )
  }

  /** Requests made so far, as they are billed: tries of the SDK left out. */
  get requests(): number {
    return this.#requests
  }

  /** Ask, with a deadline. Rejects with a `SqsFailure`, or a `DriverMissingError`. */
  async ask<Answer>(
    request: (client: SQSClient, options: { abortSignal: AbortSignal }) => Promise<Answer>,
    options: RequestOptions = {},
  ): Promise<Answer> {
    const deadline = new AbortController()
    const timer = setTimeout(
      () => {
        deadline.abort()
      },
      this.#answerMs + (options.waitMs ?? 0),
    )
    const { signal } = options
    const abort = (): void => {
      deadline.abort()
    }
    signal?.addEventListener('abort', abort, { once: true })
    this.#requests += 1
    try {
      return await request(this.#client, { abortSignal: deadline.signal })
    } catch (error) {
      // What is missing on this side, as a package, has an error of its own.
      throw error instanceof LovageError ? error : toFailure(error, this.#label)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  close(): void {
    this.#client.destroy()
  }
}
