import { Fault } from '../kernel/fault.ts'
import type { Settings } from '../house/index.ts'
import { zonesOf, type GateName, type Provider } from '../labels/index.ts'
import { createAnthropic } from './anthropic.ts'
import { createCatalog, type Catalog } from './catalog.ts'
import { createGemini } from './gemini.ts'
import { createOllama } from './ollama.ts'
import { createOpenaiResponses } from './openai-responses.ts'
import { createMistral, createMoonshot, createOpenai } from './openai.ts'
import type { KnownUpstream } from './plan.ts'
import type { Upstream, UpstreamSettings } from './upstream.ts'
import type { Routes } from './wish.ts'

/** What a gate has of the house: the upstreams that it serves, and the names and zones of all others. */
export interface DeclaredModels {
  readonly catalog: Catalog
  readonly declared: readonly KnownUpstream[]
  readonly routes: Routes
}

/** Opens the upstreams of one gate's zones. Nothing is connected to before it is asked something. */
export function declareModels(settings: Settings['models'], gate: GateName, secrets: Readonly<Record<string, string>>): DeclaredModels {
  const served = settings.upstreams.map(asUntilSigned).filter((upstream) => zonesOf[gate].includes(upstream.zone))
  return {
    catalog: createCatalog(served.map((upstream) => openUpstream(upstream, secrets))),
    declared: settings.upstreams.map(asUntilSigned).map(({ name, zone, url, kind, own }) => ({
      name, zone, url, ...(own && { own }),
      // gate local does not know the lists of gate cloud, which looks them up itself
      listsAll: kind === 'ollama' && zonesOf[gate].includes(zone),
    })),
    routes: settings.routes,
  }
}

/** Another machine is of the mesh, whatever castellan.yaml says: that it is the operator's own takes his signature. */
function asUntilSigned(upstream: UpstreamSettings): UpstreamSettings {
  return upstream.own ? { ...upstream, zone: 'mesh' } : upstream
}

/** What is declared, with the machines marked that the operator has signed to be his own, at these addresses. */
export function withOwned(declared: readonly KnownUpstream[], owned: readonly Provider[]): KnownUpstream[] {
  return declared.map((upstream) => (upstream.own ? { ...upstream, owned: owned.some(({ name, url }) => name === upstream.name && url === upstream.url) } : upstream))
}

const open = { anthropic: createAnthropic, gemini: createGemini, mistral: createMistral, moonshot: createMoonshot, ollama: createOllama, openai: createOpenai, 'openai-responses': createOpenaiResponses } as const

function openUpstream(settings: UpstreamSettings, secrets: Readonly<Record<string, string>>): Upstream {
  const key = settings.key && secrets[settings.key.secret]
  if (settings.key && !key) return withoutKey(settings, settings.key.secret)
  return open[settings.kind](settings, key)
}

/** The code of an upstream that is not asked for want of its key; one that refuses its key is `upstream.key`. */
export const keyMissing = 'upstream.no_key'

/** Asked without its key, it would only learn what it was asked. */
function withoutKey({ name, zone, kind }: UpstreamSettings, secret: string): Upstream {
  const fault = () => new Fault('unavailable', keyMissing, `upstream ${name} needs the secret ${secret}, which is not set; put it into secrets/${secret} in the home (mode 0600) and start Castellan again`, { upstream: name })
  return {
    name,
    zone,
    listsAll: kind === 'ollama',
    // oxlint-disable-next-line require-yield
    async *chat() {
      throw fault()
    },
    embed: async () => {
      throw fault()
    },
    models: async () => {
      throw fault()
    },
    close: async () => {},
  }
}
