import { toFault } from '../../kernel/fault.ts'
import type { Check } from '../../server/index.ts'
import type { SocketClient } from '../connection/socket-client.ts'

interface ConnectorLine {
  readonly name: string
  readonly kind: string
  readonly account: string
  readonly refusal: string | null
  readonly last_problem: { readonly draft: string; readonly state: string; readonly reason: string } | null
  readonly copies: { readonly late: number; readonly failed: number }
}
type Reached = { readonly ok: true; readonly said: string } | { readonly ok: false; readonly what: string } | null

/** The ways out, as the releaser sees them: it alone reaches outside, and does so because it was asked here. */
export async function connectorChecks(open: () => Promise<SocketClient>): Promise<Check[]> {
  try {
    const releaser = await open()
    const connectors = await releaser.get<ConnectorLine[]>('/connectors')
    return await Promise.all(connectors.map((connector) => checkOf(connector, () => releaser.get<Reached>(`/connectors/${connector.name}/reach`))))
  } catch (error) {
    return [{ id: 'connectors', status: 'fail', what: toFault(error).message, mend: 'castellan up' }]
  }
}

async function checkOf({ name, kind, account, refusal, last_problem: problem, copies }: ConnectorLine, reach: () => Promise<Reached>): Promise<Check> {
  const id = `connector ${name}`
  if (refusal !== null) return { id, status: 'warn', what: refusal }
  const reached = await reach()
  if (reached && !reached.ok) return { id, status: 'fail', what: reached.what, mend: 'castellan config check' }
  if (problem?.state === 'unknown') return { id, status: 'warn', what: problem.reason, mend: `castellan draft show ${problem.draft}` }
  if (problem?.state === 'held') return { id, status: 'warn', what: problem.reason }
  if (copies.failed + copies.late > 0) return { id, status: 'warn', what: `${copies.failed + copies.late} copies of what was sent are not in the mailbox of the sender` }
  return { id, status: 'ok', what: reached ? `${account} answers: ${reached.said}` : `${kind}: ${account}` }
}
