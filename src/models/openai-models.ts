import { Fault } from '../kernel/fault.ts'
import type { Zone } from '../labels/index.ts'
import { isEmbeddingName } from './embedding.ts'
import type { Transport } from './transport.ts'
import type { ModelInfo } from './upstream.ts'

/** What /models of a server says that speaks one of OpenAI's wires. */
export async function listOpenaiModels(name: string, zone: Zone, transport: Transport, signal: AbortSignal | undefined): Promise<ModelInfo[]> {
  const { data } = (await transport.getJson('/models', signal)) as { data?: readonly { id: string }[] }
  if (!Array.isArray(data)) throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} does not speak OpenAI's wire: /models has no data`)
  return (data as readonly { id: string }[]).map(({ id }) => ({ name: id, zone, embedding: isEmbeddingName(id) }))
}
