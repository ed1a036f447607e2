import { PRELUDE } from './prelude.js'

/**
 * Applies operations one by one; returns the positions of those whose queue is not declared.
 *
 * ARGV: prefix of the delayed sets, then operations.
 */
export const PUBLISH: string =
  PRELUDE +
  `
local delayed = ARGV[1]
local refused = {}
local i, n = 2, 0
while i <= #ARGV do
  local after, ok = look(i)
  if ok then
    apply(i, delayed, nil)
  else
    refused[#refused + 1] = n
  end
  i = after
  n = n + 1
end
return refused
`
