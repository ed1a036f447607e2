import { StoreFailure } from '../../src/broker/store-failure.js'
import { StoreDamagedError } from '../../src/errors/errors.js'

/** A statement failed in the database. */
export class SqlFailure extends StoreFailure {}

/** Work was cancelled while it waited for its turn, or undone before its commit: nothing of it was done. */
export class NotBegun extends SqlFailure {
  constructor() {
    super('unavailable', 'its turn had not come when it was cancelled; nothing was written', undefined)
  }
}

/** A file is damaged, or no database. */
export class DamagedFile extends SqlFailure {
  /** Absolute path. */
  readonly path: string

  constructor(path: string, message: string, cause: unknown) {
    super('refused', message, cause)
    this.path = path
  }

  override toBrokerError(): StoreDamagedError {
    return new StoreDamagedError(this.path, this.message, { cause: this.cause })
  }
}
