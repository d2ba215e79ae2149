import { exchange as exchangeOf, type Answer, type ExchangeOptions, type HttpPatience, type Outgoing } from '../../../http/index.ts'
import { asDelivery } from './as-delivery.ts'

export type { Answer, HttpPatience }

/** As in `http`. @throws Fault `connector.try_again` and `connector.not_sent` before `commit`, `connector.unknown` after it */
export function exchange(outgoing: Outgoing, options: ExchangeOptions): Promise<Answer> {
  return asDelivery(exchangeOf(outgoing, options))
}
