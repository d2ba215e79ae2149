import { Fault } from '../../kernel/fault.ts'
import { sha256, type DraftDocument } from '../document.ts'

/** The last look before bytes become something else on the wire: are these the signed ones? @throws Fault `connector.not_sent` */
export function checkBytes(wire: Uint8Array, document: DraftDocument): void {
  if (sha256(wire) === document.wire.sha256 && wire.length === document.wire.length) return
  throw new Fault('refused', 'connector.not_sent', 'the bytes are not those that the document names; nothing was sent', { suspicion: 'bytes' })
}
