import { runHandlers } from '../../task/execute.js'
import type { Outcome } from '../../task/outcome.js'
import type { WorkerHost } from '../host.js'
import type { Run } from './run.js'

/**
 * What follows a settlement that was applied: the failures of later elements of its chain are stored, and its handlers
 * called. Never rejects: both log their errors.
 */
export async function callAfterwards(run: Run, outcome: Outcome, host: WorkerHost): Promise<void> {
  if (run.alsoFailed.length > 0) {
    try {
      await host.backend?.store(run.alsoFailed, { ttlMs: run.settlement.recordTtlMs ?? 0 })
    } catch (error) {
      host.logger.error({ err: error, id: run.request.id }, 'the failure of a chain could not be stored')
    }
  }
  if (run.policy.hasHandlers) await runHandlers(run.definition, run.request, outcome, host.logger)
}
