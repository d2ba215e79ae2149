import { Fault } from '../kernel/fault.ts'
import type { GateName, Zone } from '../labels/index.ts'
import { listModels, type GateSockets } from './list-models.ts'

/** What is known of a model without having it say a word: a call needs a run, and leaves a row. */
export interface ModelTest {
  readonly gate: GateName
  readonly upstream: string
  readonly zone: Zone
  readonly reachable: boolean
  readonly latency_ms: number
  /** Undefined when only the upstream was asked about. */
  readonly model?: string
  readonly installed?: boolean
  readonly error?: { readonly code: string; readonly message: string }
}

/** Asks the upstream of `upstream` or `upstream/model` now whether it answers and has the model. @throws Fault when no gate knows the name */
export async function testModel(sockets: GateSockets, name: string): Promise<ModelTest> {
  const { gates } = await listModels(sockets, true)
  for (const gate of gates) {
    const upstream = gate.answers ? gate.status.upstreams.find((known) => name === known.name || name.startsWith(`${known.name}/`)) : undefined
    if (!upstream) continue
    const model = name === upstream.name ? undefined : name.slice(upstream.name.length + 1)
    const { zone, reachable, latency_ms, error } = upstream
    return {
      gate: gate.gate, upstream: upstream.name, zone, reachable, latency_ms,
      ...(error ? { error } : {}),
      ...(model === undefined ? {} : { model, installed: upstream.models.some((listed) => listed.name === model || listed.name === `${model}:latest`) }),
    }
  }
  const silent = gates.filter((gate) => !gate.answers).map((gate) => gate.gate)
  const known = gates.flatMap((gate) => (gate.answers ? gate.status.upstreams.map((upstream) => upstream.name) : []))
  if (silent.length > 0) throw new Fault('unavailable', 'gate.unreachable', `gate ${silent.join(' and ')} does not answer; the others know ${known.join(', ') || 'no upstream'}`)
  throw new Fault('missing', 'model_not_found', `${name} begins with no declared upstream; declared: ${known.join(', ') || 'none'}. Write upstream/model`)
}
