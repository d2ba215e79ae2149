import { z } from 'zod'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault, type FaultKind } from '../../kernel/fault.ts'
import { openPool, type HttpPool } from '../../kernel/http-pool.ts'
import type { Settings } from '../../house/index.ts'
import { covers, describeLabel, type GateName, type Label } from '../../labels/index.ts'
import { fenced } from '../fenced.ts'
import type { ToolRun } from '../tool-context.ts'
import { gateOrder } from './gate-order.ts'
import { noModel, type ModelAnswer, type ModelRequest, type Models } from './models.ts'

/** Connections to the sockets of the gates that a worker may enter. */
export type Gates = { readonly local: HttpPool; readonly cloud?: HttpPool }

export interface ModelsDeps {
  readonly database: Database
  readonly gates: Gates
  readonly settings: Settings['models']
  readonly run: Pick<ToolRun, 'id' | 'fence' | 'label'>
  label(): Label
}

const answerSchema = z.object({
  model: z.string(),
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
})
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) })
const kinds: Readonly<Record<number, FaultKind>> = { 400: 'invalid', 401: 'conflict', 403: 'refused', 404: 'missing', 409: 'conflict', 413: 'invalid', 415: 'invalid', 504: 'timeout' }
const mostAnswerBytes = 8 * 1024 * 1024

/** A pool to the Unix socket of a gate; a model may think for minutes, so only the step's own time ends a call. */
export function connectGate(socket: string): HttpPool {
  return openPool('http://gate', { socketPath: socket, connections: 8, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 2_000 })
}

/** The models behind the gates, asked under a session of this run. A gate knows the run's label from the database, never from here. */
export function createModels({ database, gates, settings, run, label }: ModelsDeps): Models {
  let session: Promise<string> | undefined

  /** Opened at the first question: most steps ask none. */
  function key(): Promise<string> {
    session ??= fenced(run.id, async () => (await database.pool.query<{ key: string }>('select session_open($1, $2) as key', [run.id, run.fence])).rows[0]!.key)
    return session
  }

  return {
    async ask(request) {
      // what this step has read is in the run's row only once the step is closed; until then the gate would judge by too low a label
      // (who wrote it plays no part in where it may go, so an answer may be asked about in the same step)
      if (!covers({ ...run.label, integrity: 'untrusted' }, label())) {
        throw new Fault('refused', 'model.label', `this step has read ${describeLabel(label())} and the run is still ${describeLabel(run.label)}: read in one step, ask a model in the next`)
      }
      const authorization = `Bearer ${await key()}`
      const failures: Failure[] = []
      for (const gate of gateOrder(request.task, settings, Object.keys(gates) as GateName[])) {
        try {
          return await askGate(gate, gates[gate]!, authorization, request)
        } catch (error) {
          if (request.signal.aborted || !(error instanceof Fault) || !noModel.includes(error.kind)) throw error
          failures.push({ gate, fault: error })
        }
      }
      throw combine(failures)
    },
  }
}

interface Failure {
  readonly gate: GateName
  readonly fault: Fault
}

/** What to say when no gate had a model: the one failure, or all of them under the kind that another try may mend. */
function combine(failures: readonly Failure[]): Fault {
  if (failures.length === 1) return failures[0]!.fault
  const kind = noModel.find((one) => failures.some(({ fault }) => fault.kind === one)) ?? 'unavailable'
  const said = failures.map(({ gate, fault }) => `gate ${gate}: ${fault.message}`).join('; ')
  return new Fault(kind, 'model.none', said, { gates: failures.map(({ gate, fault }) => ({ gate, code: fault.code })) })
}

async function askGate(gate: GateName, pool: HttpPool, authorization: string, request: ModelRequest): Promise<ModelAnswer> {
  try {
    const { statusCode, headers, body } = await pool.request({
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { authorization, 'content-type': 'application/json', 'x-castellan-task': request.task },
      body: JSON.stringify(wireOf(request)),
      signal: request.signal,
    })
    return readAnswer(statusCode, headers['x-castellan-upstream'], await readBody(body))
  } catch (error) {
    if (error instanceof Fault || request.signal.aborted) throw error
    throw new Fault('unavailable', 'model.gate', `gate ${gate} does not answer (${(error as Error).message}); see castellan status`, {}, error)
  }
}

function wireOf({ system, prompt, maxTokens }: ModelRequest): object {
  return {
    model: 'auto',
    messages: [...(system === undefined ? [] : [{ role: 'system', content: system }]), { role: 'user', content: prompt }],
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
  }
}

async function readBody(body: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > mostAnswerBytes) throw new Fault('unavailable', 'model.answer', `the gate answered more than ${mostAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new Fault('unavailable', 'model.answer', 'the gate answered something that is no JSON', {}, error)
  }
}

/** An answer that was passed through names its model as the upstream does. */
function readAnswer(status: number, upstream: string | string[] | undefined, body: unknown): ModelAnswer {
  if (status === 200) {
    const answer = answerSchema.safeParse(body)
    if (!answer.success) throw new Fault('unavailable', 'model.answer', 'the gate answered, but not as a chat completion')
    const { choices, model } = answer.data
    return { text: choices[0]!.message.content ?? '', model: upstream === undefined || model.startsWith(`${upstream}/`) ? model : `${upstream}/${model}` }
  }
  const said = errorSchema.safeParse(body).data?.error
  throw new Fault(kinds[status] ?? 'unavailable', said?.code ?? 'model.gate', said?.message ?? `the gate answered with status ${status}`)
}
