import { Fault } from '../kernel/fault.ts'
import type { AlertKind } from './alert-kinds.ts'

/** Which refusals are worth more than the answer to who asked. The first that fits counts. */
const suspicious: readonly { readonly kind: AlertKind; readonly codes: RegExp }[] = [
  { kind: 'signin.failed', codes: /^(signin\.(refused|locked)|session_unknown|key_in_address)$/ },
  { kind: 'page.stranger', codes: /^(host\.unknown|host_refused|origin\.(unknown|foreign))$/ },
  { kind: 'sandbox.unsafe', codes: /^sandbox\.unsafe$/ },
  { kind: 'command.refused', codes: /^(shell|sandbox)\./ },
  { kind: 'label.refused', codes: /^(label_refused|redaction_blocked)$/ },
  { kind: 'nonce.replayed', codes: /^(nonce\.spent|draft\.released_before)$/ },
  { kind: 'signature.failed', codes: /^(draft\.(signature|altered|document|mismatch|key)|passkey\.(assertion|site)|session\.(vouch|document))$/ },
]

/** What an error is a sign of, if anything. Mistakes (`invalid`, `missing`) and weather (`unavailable`, `timeout`) are none. */
export function suspicionOf(error: unknown): AlertKind | undefined {
  if (!(error instanceof Fault)) return undefined
  // a connector says so where it was led elsewhere: its code says only that nothing was sent
  if (error.details['suspicion'] !== undefined) return 'outbound.unexpected'
  // these come as conflicts, because the sealer cannot go on
  if (/^audit\.(head_mismatch|head_file|counter_behind)$/.test(error.code)) return 'audit.broken'
  if (error.code === 'nonce.lost') return 'nonces.lost'
  return error.kind === 'refused' ? suspicious.find(({ codes }) => codes.test(error.code))?.kind : undefined
}
