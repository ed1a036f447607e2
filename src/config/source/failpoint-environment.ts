import { armFailpoints } from '../../util/failpoint.js'

/**
 * Arm the failpoints that the environment variable `LOVAGE_FAILPOINT` names: for fault tests only.
 *
 * @returns How many were armed.
 */
export function armFailpointsOfEnvironment(): number {
  const spec = process.env['LOVAGE_FAILPOINT']
  return spec === undefined ? 0 : armFailpoints(spec)
}
