import type { Database } from '../kernel/database/connect.ts'
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
}

export interface HandOnDeps {
  readonly database: Pick<Database, 'pool'>
  /** The Unix socket of gate cloud. */
  readonly socketPath: string
  readonly redaction: () => RequestRedaction
  readonly keepMs: () => number
  /** Only tasks that the house names are told to gate cloud: a caller may call one as he likes. */
  readonly isRoute: (task: string) => boolean
}

export function createHandOn({ database, socketPath, redaction, keepMs, isRoute }: HandOnDeps): HandOn {
  return {
    upstream({ candidate, session, key, level, task }) {
      const name = `${candidate.upstream} by gate cloud`
      const settings = { name, kind: 'openai', url: 'http://gate-cloud/v1', zone: 'cloud' } as const
      const toCloud = (headers: Record<string, string>) => createOpenai(settings, key, { socketPath, headers: { ...headers, ...(isRoute(task) && { 'x-castellan-task': task }) } })
      return {
        name,
        zone: 'cloud',
        listsAll: false,
        async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
          const { native: _, ...conversation } = request
          if (candidate.handedOn === 'cleared') {
            // the run itself carries what is cleared, and gate cloud knows its label: a caller that raises his call leaves the lane
            const cleared = toCloud({})
            try {
              return yield* cleared.chat({ ...conversation, model: `${candidate.upstream}/${candidate.model}` }, signal)
            } finally {
              void cleared.close()
            }
          }
          const redactor = redaction()
          const redacted: ChatRequest = { ...redactor.redact(conversation), model: `${candidate.upstream}/${candidate.model}` }
          const id = await recordRedaction(database, {
            session, level, redactor: redactor.name, input: conversation, output: toOpenai(redacted), kinds: redactor.kinds(), keepMs: keepMs(),
          })
          const gate = toCloud({ 'x-castellan-declassification': id })
          try {
            yield* redactor.restore(gate.chat(redacted, signal))
          } finally {
            void gate.close()
          }
        },
        models: async () => [],
        close: async () => {},
      }
    },
  }
}
