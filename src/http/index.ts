export { pinAddress, type Lookup } from './address.ts'
export { openConnection, type Network } from './connection.ts'
export { exchange, type Answer, type ExchangeOptions, type HttpPatience, type Outgoing } from './exchange.ts'
