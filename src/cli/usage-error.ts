import { LovageError } from '../errors/errors.js'

/** The command line asks for something that cannot be; the message is one line and says what to type instead. */
export class UsageError extends LovageError {}
