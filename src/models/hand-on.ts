import type { Database } from '../kernel/database/connect.ts'
import { Fault } from '../kernel/fault.ts'
import type { Level } from '../labels/index.ts'
import type { ChatChunk, ChatRequest } from './chat.ts'
import { recordRedaction } from './declassification.ts'
import { createOpenai } from './openai.ts'
import { toOpenai } from './openai-wire.ts'
import type { Candidate } from './plan.ts'
import type { RequestRedaction } from './redact-conversation.ts'
import type { Session } from './session.ts'
import type { Upstream } from './upstream.ts'

/** How gate local reaches cloud models: through gate cloud, which checks all of it again; redacted and recorded, or as it is where a signed act clears the provider. */
export interface HandOn {
  /** The one candidate of one call, as an upstream. */
  upstream(call: HandedOnCall): Upstream
}

export interface HandedOnCall {
  readonly candidate: Candidate
  readonly session: Session
  /** The session's own key: gate cloud asks the database about it again. */
  readonly key: string
  /** What the call carries before it is redacted. */
  readonly level: Level
  readonly task: string
  /** What the caller says of answers that were given before holds there too. */
  readonly cacheControl: 'no-cache' | 'no-store' | undefined
}

export interface HandOnDeps {
  readonly database: Pick<Database, 'pool'>
  /** The Unix socket of gate cloud. */
  readonly socketPath: string
  /** By the policy of what carries such a label. */
  readonly redaction: (lanes: readonly string[]) => RequestRedaction
  readonly keepMs: () => number
  /** Only tasks that the house names are told to gate cloud: a caller may call one as he likes. */
  readonly isRoute: (task: string) => boolean
}

export function createHandOn({ database, socketPath, redaction, keepMs, isRoute }: HandOnDeps): HandOn {
  return {
    upstream({ candidate, session, key, level, task, cacheControl }) {
      const name = `${candidate.upstream} by gate cloud`
      const settings = { name, kind: 'openai', url: 'http://gate-cloud/v1', zone: 'cloud' } as const
      const model = `${candidate.upstream}/${candidate.model}`
      async function* askCloud(request: ChatRequest, signal: AbortSignal, headers: Record<string, string> = {}): AsyncGenerator<ChatChunk, void, void> {
        const gate = createOpenai(settings, key, { socketPath, headers: { ...headers, ...(isRoute(task) && { 'x-castellan-task': task }), ...(cacheControl && { 'cache-control': cacheControl }) } })
        try {
          yield* gate.chat(request, signal)
        } catch (error) {
          throw error instanceof Fault && error.code === 'upstream.key' ? notLetThrough(candidate.upstream, error) : error
        } finally {
          void gate.close()
        }
      }
      return {
        name,
        zone: 'cloud',
        listsAll: false,
        async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
          const { native: _, ...conversation } = request
          // the run itself carries what is cleared, and gate cloud knows its label: a caller that raises his call leaves the lane
          if (candidate.handedOn === 'cleared') return yield* askCloud({ ...conversation, model }, signal)
          const redactor = redaction(session.label.lanes)
          const redacted: ChatRequest = { ...redactor.redact(conversation), model }
          const id = await recordRedaction(database, {
            session, level, redactor: redactor.name, input: conversation, output: toOpenai(redacted), kinds: redactor.kinds(), keepMs: keepMs(),
          })
          yield* redactor.restore(askCloud(redacted, signal, { 'x-castellan-declassification': id }))
        },
        models: async () => [],
        close: async () => {},
      }
    },
  }
}

/** Gate cloud judges by itself, by what the database says a moment later; its row says why. */
function notLetThrough(upstream: string, cause: Fault): Fault {
  return new Fault('unavailable', 'upstream.refused', `gate cloud did not let this call through to ${upstream}; what it wrote down of it (\`castellan run show\`, \`castellan spend\`) says why, e.g. a price or a budget`, { upstream }, cause)
}
