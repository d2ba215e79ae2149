import { Fault, toFault } from '../kernel/fault.ts'
import type { GateName } from '../labels/index.ts'
import type { GateStatus } from './gate-status.ts'

/** The Unix sockets of the gates. */
export interface GateSockets {
  readonly gateLocal: string
  readonly gateCloud: string
}

/** What a gate said of itself, or why it said nothing. */
export type GateReport =
  | { readonly gate: GateName; readonly answers: true; readonly status: GateStatus }
  | { readonly gate: GateName; readonly answers: false; readonly error: { readonly code: string; readonly message: string } }

/** What both gates say of their upstreams and models. Never fails: a gate that does not answer is part of the list. */
export async function listModels(sockets: GateSockets, fresh = false): Promise<GateReport[]> {
  return Promise.all([report('local', sockets.gateLocal, fresh), report('cloud', sockets.gateCloud, fresh)])
}

async function report(gate: GateName, socketPath: string, fresh: boolean): Promise<GateReport> {
  try {
    return { gate, answers: true, status: await askStatus(gate, socketPath, fresh) }
  } catch (error) {
    const { code, message } = toFault(error)
    return { gate, answers: false, error: { code, message } }
  }
}

/** Milliseconds; longer than an upstream is waited for when it is asked for its models. */
const patience = 15_000

async function askStatus(gate: GateName, socketPath: string, fresh: boolean): Promise<GateStatus> {
  const unreachable = (cause: unknown) =>
    new Fault('unavailable', 'gate.unreachable', `gate ${gate} does not answer on its socket; \`castellan status\` says how it is`, { gate }, cause)
  // not imported: as an ES module node:http loads a second undici, some megabytes in every process that only passes by here
  const { request } = process.getBuiltinModule('node:http')
  const body = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath, path: fresh ? '/status?fresh=1' : '/status', signal: AbortSignal.timeout(patience) }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end()
  }).catch((error: unknown) => {
    throw unreachable(error)
  })
  const envelope = JSON.parse(body) as { ok: true; data: GateStatus } | { ok: false; error: { code: string; message: string } }
  if (!envelope.ok) throw new Fault('unavailable', envelope.error.code, envelope.error.message)
  return envelope.data
}
