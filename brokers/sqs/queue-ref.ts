import type { SqsService } from './service.js'

/** A queue that is there. */
export interface QueueRef {
  /** As the application names it. */
  readonly name: string
  readonly url: string
  readonly isFifo: boolean
  readonly service: SqsService
}
