import { PRELUDE } from './prelude.js'

/**
 * Applies operations one by one; returns the positions of those whose queue is not declared, and position and error, in turn,
 * of those that the server refuses for what they name. What it refuses for its own state, at the first write, is an error.
 *
 * ARGV: prefix of the delayed sets, then operations.
 */
export const PUBLISH: string =
  PRELUDE +
  `
local delayed = ARGV[1]
local refused, failed = {}, {}
local i, n = 2, 0
while i <= #ARGV do
  local after, ok = look(i)
  if ok then
    local _, problem = apply(i, delayed, nil)
    if problem then
      local is_named = string.find(problem.err, 'WRONGTYPE') or string.find(problem.err, 'user executing the script')
      if not is_named and #undoing == 0 then return problem end
      failed[#failed + 1] = n
      failed[#failed + 1] = problem.err
    end
  else
    refused[#refused + 1] = n
  end
  i = after
  n = n + 1
end
tell()
return { refused, failed }
`
