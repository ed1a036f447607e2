/** How long a server may take to confirm on a busy machine, in milliseconds, where the deadline is not what is tested. */
export const PATIENCE_MS = 30_000
