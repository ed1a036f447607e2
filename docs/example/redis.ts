import { Lovage } from 'lovage'

// #region app
const app = new Lovage('shop', { broker: 'redis://localhost:6379/0', backend: 'redis://localhost:6379/1' })
// #endregion

console.log(app.main) // shop
await app.close()
