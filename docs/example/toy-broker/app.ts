// #region app
import { Lovage } from 'lovage'

export const app: Lovage = new Lovage('shop', { broker: 'toy://shop', backend: 'memory://' })

app.brokers.register({ schemes: ['toy'], load: () => import('./toy-broker.js') })
// #endregion app
