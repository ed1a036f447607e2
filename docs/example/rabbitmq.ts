import { Lovage } from 'lovage'

// #region app
const app = new Lovage('shop', { broker: 'amqp://user:password@localhost:5672//', backend: 'rpc://' })
// #endregion

console.log(app.main) // shop
await app.close()
