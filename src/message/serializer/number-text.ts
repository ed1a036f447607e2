/**
 * A number as Python's `repr` and its `json` write it.
 *
 * Integers beyond 2^53 get a fraction or an exponent, because a bare one would read back as another type.
 *
 * @returns `undefined` for what JSON has no number for: `NaN` and the infinities.
 */
export function numberText(value: number): string | undefined {
  if (Number.isSafeInteger(value)) return value === 0 && 1 / value < 0 ? '-0.0' : String(value)
  return Number.isFinite(value) ? floatText(value) : undefined
}

function floatText(value: number): string {
  const size = Math.abs(value)
  if (size < 1e-4 || size >= 1e16) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
