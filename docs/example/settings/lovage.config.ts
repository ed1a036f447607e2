import type { ConfigInput } from 'lovage'

export default { broker: 'redis://localhost/0', taskAcksLate: false } satisfies ConfigInput
