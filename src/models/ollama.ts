import { Fault } from '../kernel/fault.ts'
import type { ChatChunk, ChatRequest } from './chat.ts'
import { chatOver } from './chat-over.ts'
import { checkVectors, isEmbeddingName } from './embedding.ts'
import { promptBytes, tokensOf } from './estimate.ts'
import { ollamaEvents } from './ollama-events.ts'
import { passedOllama, toOllama, type ModelDetails } from './ollama-wire.ts'
import { createTransport, parseJson } from './transport.ts'
import { defaultTimeouts, type ModelInfo, type Upstream, type UpstreamSettings } from './upstream.ts'

interface Tag {
  readonly name: string
  readonly remote_host?: string
  readonly details?: { readonly family?: string; readonly families?: readonly string[] | null }
}

interface Show {
  readonly capabilities?: readonly string[]
  readonly details?: { readonly family?: string }
  readonly model_info?: Record<string, unknown>
  readonly remote_host?: string
}

/** An Ollama daemon, by its native wire (https://docs.ollama.com/api). */
export function createOllama(settings: UpstreamSettings, key?: string): Upstream {
  const { name } = settings
  const timeouts = { ...defaultTimeouts, ...settings.timeouts }
  const transport = createTransport({ name, url: settings.url, key, timeouts })
  const details = new Map<string, Promise<ModelDetails>>()

  async function show(model: string): Promise<ModelDetails> {
    const shown = (await transport.postJson('/api/show', { model })) as Show
    if (settings.zone !== 'cloud' && runsElsewhere(model, shown.remote_host)) {
      throw new Fault('refused', 'upstream.zone', `${model} runs in the cloud, not where upstream ${name} is declared to be (${settings.zone})`)
    }
    const contextLength = Object.entries(shown.model_info ?? {}).find(([field]) => field.endsWith('.context_length'))?.[1]
    return {
      ...(typeof contextLength === 'number' ? { contextLength } : {}),
      family: shown.details?.family ?? '',
      capabilities: shown.capabilities ?? [],
      thinks: shown.capabilities?.includes('thinking') ?? false,
      thinksByEffort: shown.details?.family === 'gptoss',
    }
  }

  /** Kept until the models are listed again. Shared by concurrent calls, so no single caller can abort it. */
  async function detailsOf(model: string): Promise<ModelDetails> {
    const known = details.get(model)
    if (known) return known
    const asked = show(model)
    details.set(model, asked)
    asked.catch(() => details.delete(model))
    return asked
  }

  return {
    name,
    zone: settings.zone,
    listsAll: true,
    async models(signal) {
      const { models } = (await transport.getJson('/api/tags', signal)) as { models?: readonly Tag[] }
      if (!Array.isArray(models)) throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} does not speak Ollama's wire: /api/tags has no models`)
      details.clear()
      return (models as readonly Tag[]).map((tag) => asModel(tag, settings.zone))
    },
    async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
      // says where the model runs, before it is sent anything
      const model = await detailsOf(request.model)
      const wire = request.native?.wire === 'ollama-generate' ? 'ollama-generate' : 'ollama-chat'
      const chat = chatOver({
        upstream: name, wire, path: () => (wire === 'ollama-generate' ? '/api/generate' : '/api/chat'), by: 'line', transport,
        reader: () => ollamaEvents(name, tokensOf(promptBytes(request))), passed: (native) => passedOllama(native, request, model), translated: () => toOllama(request, model),
      })
      yield* chat(request, signal)
    },
    async describe(model) {
      const { family, capabilities, contextLength } = await detailsOf(model)
      return { family, capabilities, ...(contextLength !== undefined && { contextLength }) }
    },
    async embed(request, signal) {
      // says where the model runs, before it is sent anything
      await detailsOf(request.model)
      const { model, input, dimensions } = request
      // cut to the context, a text would get the vector of its beginning
      const bytes = await transport.postWhole('/api/embed', { model, input, truncate: false, ...(dimensions === undefined ? {} : { dimensions }) }, signal)
      const { embeddings, prompt_eval_count: inputTokens } = (parseJson(name, bytes.toString('utf8')) ?? {}) as { embeddings?: unknown; prompt_eval_count?: number }
      return { vectors: checkVectors(name, request, embeddings), inputTokens }
    },
    close: () => transport.close(),
  }
}

function asModel(tag: Tag, zone: Upstream['zone']): ModelInfo {
  const families = [tag.details?.family, ...(tag.details?.families ?? [])].map((family) => family ?? '')
  return {
    name: tag.name,
    zone: runsElsewhere(tag.name, tag.remote_host) ? 'cloud' : zone,
    embedding: families.some((family) => family.includes('bert')) || isEmbeddingName(tag.name),
  }
}

/** The daemon says where a model runs; the name says it too, for daemons that do not. */
function runsElsewhere(name: string, remoteHost: string | undefined): boolean {
  return Boolean(remoteHost) || /[:-]cloud$/.test(name)
}
