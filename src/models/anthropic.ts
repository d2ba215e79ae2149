import { Fault } from '../kernel/fault.ts'
import { anthropicEvents } from './anthropic-events.ts'
import { countedMessages, passedMessages, toMessages } from './anthropic-wire.ts'
import { chatOver } from './chat-over.ts'
import { countOver } from './count-over.ts'
import { createTransport } from './transport.ts'
import { defaultTimeouts, type Upstream, type UpstreamSettings } from './upstream.ts'

const version = '2023-06-01'

/** A server of Anthropic's messages (https://docs.anthropic.com/en/api/messages); `url` ends where `/messages` begins, usually in `/v1`. */
export function createAnthropic(settings: UpstreamSettings, key?: string): Upstream {
  const { name, zone } = settings
  const transport = createTransport({
    name, url: settings.url, timeouts: { ...defaultTimeouts, ...settings.timeouts },
    headers: { 'anthropic-version': version, ...(key !== undefined && { 'x-api-key': key }) },
  })

  return {
    name,
    zone,
    listsAll: false,
    async models(signal) {
      const { data } = (await transport.getJson('/models?limit=1000', signal)) as { data?: readonly { id: string }[] }
      if (!Array.isArray(data)) throw new Fault('unavailable', 'upstream.malformed', `upstream ${name} does not speak Anthropic's wire: /models has no data`)
      return (data as readonly { id: string }[]).map(({ id }) => ({ name: id, zone, embedding: false }))
    },
    chat: chatOver({
      upstream: name, wire: 'anthropic-messages', path: () => '/messages', transport,
      reader: () => anthropicEvents(name), passed: passedMessages, translated: toMessages,
    }),
    countTokens: countOver({
      upstream: name, wire: 'anthropic-messages', transport, path: () => '/messages/count_tokens', passed: countedMessages, read: ({ input_tokens: tokens }) => tokens,
    }),
    close: () => transport.close(),
  }
}
