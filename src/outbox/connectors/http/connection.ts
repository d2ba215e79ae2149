import type { Socket } from 'node:net'
import { openConnection as open, type Network } from '../../../http/index.ts'
import { asDelivery } from './as-delivery.ts'

export type { Network }

/** As in `http`. @throws Fault `connector.try_again`, `connector.not_sent` */
export function openConnection(url: URL, network: Network, patience: { milliseconds: number; signal: AbortSignal }): Promise<Socket> {
  return asDelivery(open(url, network, patience))
}
