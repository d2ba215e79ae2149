import { chatOver } from './chat-over.ts'
import { embedByOpenai } from './openai-embed.ts'
import { listOpenaiModels } from './openai-models.ts'
import { responsesEvents } from './openai-responses-events.ts'
import { passedResponses, toResponses } from './openai-responses-wire.ts'
import { createTransport } from './transport.ts'
import { defaultTimeouts, type Upstream, type UpstreamSettings } from './upstream.ts'

/** A server of OpenAI's responses; `url` ends where `/responses` begins, usually in `/v1`. It is told to store nothing. */
export function createOpenaiResponses(settings: UpstreamSettings, key?: string): Upstream {
  const { name } = settings
  const transport = createTransport({ name, url: settings.url, key, timeouts: { ...defaultTimeouts, ...settings.timeouts } })

  return {
    name,
    zone: settings.zone,
    listsAll: false,
    models: (signal) => listOpenaiModels(name, settings.zone, transport, signal),
    chat: chatOver({
      upstream: name, wire: 'openai-responses', path: () => '/responses', transport,
      reader: (native) => responsesEvents(name, { isPassed: native?.stream === true }), passed: passedResponses, translated: (request) => toResponses(name, request),
    }),
    embed: (request, signal) => embedByOpenai(name, transport, request, signal),
    close: () => transport.close(),
  }
}
