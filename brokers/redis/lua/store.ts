import { PRELUDE } from './prelude.js'

/** Stores results; ARGV: `S` operations. */
export const STORE: string =
  PRELUDE +
  `
for i = 1, #ARGV, 4 do keep(i) end
return 1
`
