import { Lovage } from 'lovage'

// #region app
const url = 'mongodb://localhost:27017/queue?replicaSet=rs0'
const app = new Lovage('shop', { broker: url, backend: url })
// #endregion

console.log(app.main) // shop
await app.close()
