import { PRELUDE } from './prelude.js'

/** Stores results; ARGV: `S` operations. Returns the keys of what only the caller can read: if there are any, nothing was done. */
export const STORE: string =
  PRELUDE +
  `
local opaque = {}
for i = 1, #ARGV, 5 do
  if old_of(i) == 3 then opaque[#opaque + 1] = ARGV[i + 1] end
end
if #opaque > 0 then return opaque end
local problem
for i = 1, #ARGV, 5 do problem = keep(i) or problem end
return problem or {}
`
