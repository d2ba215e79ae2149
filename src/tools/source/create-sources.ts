import { sql } from 'kysely'
import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { Fault, type FaultKind } from '../../kernel/fault.ts'
import type { HttpPool } from '../../kernel/http-pool.ts'
import { newId } from '../../kernel/ids.ts'
import type { SourceSettings } from '../../house/index.ts'
import { covers, describeLabel, describeLevel, fromRow, type Label } from '../../labels/index.ts'
import { fenced } from '../fenced.ts'
import type { ToolRun } from '../tool-context.ts'
import type { Snapshot, SourceQuestion, Sources } from './sources.ts'

export interface SourcesDeps {
  /** With the worker's own role. */
  readonly database: Database
  /** The socket of the process `reader`. */
  readonly reader: HttpPool
  readonly sources: readonly SourceSettings[]
  readonly clock: Clock
  readonly run: Pick<ToolRun, 'id' | 'fence' | 'readsUpTo' | 'label'>
  readonly signal: AbortSignal
  label(): Label
  raise(label: Label): void
}

const errorSchema = z.object({ error: z.object({ kind: z.string().optional(), code: z.string(), message: z.string() }) })
const kinds: Readonly<Record<number, FaultKind>> = { 400: 'invalid', 403: 'refused', 404: 'missing', 409: 'conflict', 504: 'timeout' }

/** What sources said and say. What is asked is written into the database under the run's fence; the reader is told the id of that row and nothing else. */
export function createSources({ database, reader, sources, clock, run, signal, label, raise }: SourcesDeps): Sources {
  function declared(name: string): SourceSettings {
    const source = sources.find((one) => one.name === name)
    if (!source) throw new Fault('missing', 'source.undeclared', `castellan.yaml declares no source ${JSON.stringify(name)}; it declares: ${sources.map((one) => one.name).join(', ') || 'none'}`)
    return source
  }

  async function find({ source, params }: SourceQuestion): Promise<Snapshot | undefined> {
    const { format, maxAgeMs } = declared(source)
    const row = await database.kysely.selectFrom('source_snapshot').select(['fetched_at', 'media', 'body', 'label_level', 'label_integrity', 'label_lanes'])
      .where('source', '=', source).where('params_key', '=', sql<Buffer>`sha256(convert_to(${JSON.stringify(params)}::jsonb::text, 'UTF8'))`)
      .where('label_level', '<=', run.readsUpTo).executeTakeFirst()
    if (!row) return undefined
    raise(fromRow(row))
    return { source, fetchedAt: row.fetched_at, ageMs: clock.now().getTime() - row.fetched_at.getTime(), media: row.media, body: row.body, format, maxAgeMs }
  }

  async function snapshot(question: SourceQuestion): Promise<Snapshot> {
    const { name, label: ofSource } = declared(question.source)
    if (ofSource.level > run.readsUpTo) {
      throw new Fault('refused', 'source.level', `${name} is ${describeLevel(ofSource.level)} and the job reads up to ${describeLevel(run.readsUpTo)}; set reads_up_to in the job if it should see it`)
    }
    const found = await find(question)
    if (found) return found
    throw new Fault('missing', 'source.missing', `there is no snapshot of ${question.source}${Object.keys(question.params).length > 0 ? ' for these parameters' : ''} that this run may read; ask for one with source.refresh, in a job whose lane may read it`)
  }

  async function ask(question: SourceQuestion): Promise<string> {
    const { source, params } = question
    // what this step has read is in the run's row only once the step is closed; until then the database would judge by too low a label
    if (Object.keys(params).length > 0 && !covers({ ...run.label, integrity: 'untrusted' }, label())) {
      throw new Fault('refused', 'source.label', `this step has read ${describeLabel(label())} and the run is still ${describeLabel(run.label)}: read in one step, ask a source in the next`)
    }
    const id = newId()
    const outcome = await fenced(run.id, async () => (await database.pool.query<{ outcome: string }>('select source_ask($1, $2, $3, $4, $5) as outcome', [id, run.id, run.fence, source, JSON.stringify(params)])).rows[0]!.outcome)
    if (outcome !== 'asked') throw refusal(outcome, declared(source))
    return id
  }

  async function fetch(id: string): Promise<void> {
    let status: number
    let answer: unknown
    try {
      const { statusCode, body } = await reader.request({ method: 'POST', path: `/fetches/${id}`, signal })
      status = statusCode
      answer = await body.json()
    } catch (error) {
      if (signal.aborted) throw error
      throw new Fault('unavailable', 'source.reader', 'the process reader does not answer; it runs where a source is declared when Castellan starts. See castellan status', {}, error)
    }
    if (status === 200) return
    const said = errorSchema.safeParse(answer).data?.error
    throw new Fault(kinds[status] ?? 'unavailable', said?.code ?? 'source.reader', said?.message ?? `the reader answered with status ${status}`)
  }

  return {
    snapshot,
    async refresh(question, youngerThanMs) {
      const { refreshMs } = declared(question.source)
      const known = await find(question)
      if (known && known.ageMs >= 0 && known.ageMs < (youngerThanMs ?? refreshMs)) return { fetched: false, snapshot: known }
      await fetch(await ask(question))
      return { fetched: true, snapshot: await find(question) }
    },
  }
}

function refusal(outcome: string, { name, params, paramsUpTo, limits }: SourceSettings): Fault {
  if (outcome === 'label') {
    return new Fault('refused', 'source.label', `the run has read what is above ${describeLevel(paramsUpTo)}, and who answers for ${name} would read its parameters; ask in a run that has not read it, or in a step before it is read`)
  }
  if (outcome === 'worker') {
    return new Fault('refused', 'source.worker', `${name} has parameters that are not from a list, and the private worker could have read anything: ask for it in a job whose lane has worker: open; any job can read the snapshot`)
  }
  if (outcome === 'limit') return new Fault('unavailable', 'source.limit', `${name} was asked as often as castellan.yaml lets it be (${limits.hour} an hour, ${limits.day} a day); raise its limits, or ask less often`)
  const takes = params.map((one) => `${one.name} (${one.values?.join(', ') ?? one.form})`).join('; ') || 'no parameters'
  return new Fault('invalid', 'source.params', `these are not the parameters of ${name}; it takes ${takes}`)
}
