import { Fault } from '../kernel/fault.ts'
import { chatOver } from './chat-over.ts'
import { countOver } from './count-over.ts'
import { embedByGemini } from './gemini-embed.ts'
import { readGeminiError } from './gemini-error.ts'
import { geminiEvents } from './gemini-events.ts'
import { countedContents, passedContents, toContents } from './gemini-wire.ts'
import { createTransport } from './transport.ts'
import { defaultTimeouts, type ModelInfo, type Upstream, type UpstreamSettings } from './upstream.ts'

interface Listed {
  readonly models?: readonly { readonly name?: string; readonly supportedGenerationMethods?: readonly string[] }[]
  readonly nextPageToken?: string
}

const mostPages = 20

/** Google's Gemini API (https://ai.google.dev/api); `url` ends where `/models` begins, usually in `/v1beta`. */
export function createGemini(settings: UpstreamSettings, key?: string): Upstream {
  const { name, zone } = settings
  const transport = createTransport({
    name, url: settings.url, timeouts: { ...defaultTimeouts, ...settings.timeouts }, readError: readGeminiError,
    headers: key === undefined ? {} : { 'x-goog-api-key': key },
  })
  const malformed = (what: string) => new Fault('unavailable', 'upstream.malformed', `upstream ${name} does not speak Gemini's wire: ${what}`, { upstream: name })
  // a name comes from outside, and must stay one piece of the path
  const pathOf = (model: string, method: string) => `/models/${encodeURIComponent(model)}:${method}`

  async function page(token: string | undefined, signal: AbortSignal | undefined): Promise<Listed> {
    const listed = (await transport.getJson(`/models?pageSize=1000${token === undefined ? '' : `&pageToken=${encodeURIComponent(token)}`}`, signal)) as Listed | null
    // a last page may be empty
    if (typeof listed !== 'object' || listed === null || (listed.models !== undefined && !Array.isArray(listed.models))) throw malformed('/models has no models')
    return listed
  }

  return {
    name,
    zone,
    listsAll: false,
    async models(signal) {
      const found: ModelInfo[] = []
      let token: string | undefined
      for (let pages = 0; pages < mostPages; pages += 1) {
        const { models = [], nextPageToken } = await page(token, signal)
        for (const { name: full, supportedGenerationMethods: methods = [] } of models) {
          const embedding = !methods.includes('generateContent')
          if (typeof full === 'string' && (!embedding || methods.includes('embedContent'))) found.push({ name: full.replace(/^models\//, ''), zone, embedding })
        }
        if (!nextPageToken) break
        token = String(nextPageToken)
      }
      return found
    },
    chat: chatOver({
      upstream: name, wire: 'gemini', transport,
      path: (model, stream) => pathOf(model, stream ? 'streamGenerateContent?alt=sse' : 'generateContent'),
      reader: (native) => geminiEvents(name, { isPassed: native !== undefined }), passed: passedContents, translated: toContents,
    }),
    countTokens: countOver({
      upstream: name, wire: 'gemini', transport, path: (model) => pathOf(model, 'countTokens'), passed: countedContents, read: ({ totalTokens }) => totalTokens,
    }),
    embed: (request, signal) => embedByGemini(name, pathOf(request.model, 'batchEmbedContents'), transport, request, signal),
    close: () => transport.close(),
  }
}
