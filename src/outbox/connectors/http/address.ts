import { pinAddress as pin, type Lookup } from '../../../http/index.ts'
import { asDelivery } from './as-delivery.ts'

export type { Lookup }

/** As in `http`. @throws Fault `connector.not_sent`, `connector.try_again` */
export function pinAddress(host: string, options: { readonly isPrivate: boolean; readonly lookup?: Lookup | undefined }): Promise<string> {
  return asDelivery(pin(host, options))
}
