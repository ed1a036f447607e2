import type { TaskLogger } from '../task/logger.js'

/**
 * Write what drivers warn the process of to a worker's log as well, as that a server lacks a feature.
 *
 * @returns What ends it.
 */
export function logProcessWarnings(logger: TaskLogger): () => void {
  const log = (warning: Error): void => {
    if (warning.name !== 'LovageWarning') return
    logger.warn('code' in warning ? { code: warning.code } : {}, warning.message)
  }
  process.on('warning', log)
  return () => {
    process.off('warning', log)
  }
}
