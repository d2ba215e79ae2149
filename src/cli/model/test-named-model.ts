import { randomBytes } from 'node:crypto'
import type { UpstreamView } from '../../server/index.ts'
import { gateOf, type GateName, type Zone } from '../../labels/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { exitCodes } from '../command/exit-codes.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { createClientKey } from '../key/create-client-key.ts'
import { pairs } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { duration } from '../terminal/wording.ts'
import { testModel, type ModelTest } from './test-model.ts'

/** A model of an upstream, and where it really runs. */
export interface FoundModel {
  readonly upstream: string
  readonly model: string
  readonly zone: string
  /** Of the upstream, as castellan.yaml declares it. */
  readonly declared: string
  /** The upstream says itself that it has it, and where. */
  readonly listed: boolean
}

type Report = Omit<FoundModel, 'declared' | 'listed'> & { readonly upstream_zone: string; readonly gate: GateName | null; readonly why: string | null } & (
  | ({ readonly state: ModelTest['state'] } & Omit<ModelTest, 'state'>)
  | { readonly state: 'not asked' }
)

/** Milliseconds that the key of a test is good for, should nobody live to revoke it. */
const keyLasts = 30 * 60_000

/** Reads `upstream/model`, or a model's name as its upstream lists it; `:latest` may be left out. */
export function findModel(name: string, upstreams: readonly Pick<UpstreamView, 'name' | 'zone' | 'models'>[]): FoundModel | undefined {
  const named = upstreams.find((upstream) => name.startsWith(`${upstream.name}/`))
  const model = named === undefined ? name : name.slice(named.name.length + 1)
  for (const upstream of named === undefined ? upstreams : [named]) {
    const known = upstream.models.find((one) => one.name === model || one.name === `${model}:latest`)
    if (known) return { upstream: upstream.name, model: known.name, zone: known.zone, declared: upstream.zone, listed: true }
  }
  // some upstreams do not list everything that they have
  return named && model !== '' ? { upstream: named.name, model, zone: named.zone, declared: named.zone, listed: false } : undefined
}

/** Asks one model through its gate, by a key that is made for that and revoked after, and says where it runs and what it can do. */
export async function testNamedModel({ releaser, house, say, err }: Pick<Invocation, 'releaser' | 'house' | 'say' | 'err'>, found: FoundModel, lane?: string): Promise<Outcome> {
  const { upstream, model, zone, declared } = found
  const gate = gateOf(declared as Zone) ?? null
  const about = { upstream, model, zone, upstream_zone: declared, gate }
  if (zone !== declared || gate === null) {
    const why = gate === null
      ? `no gate serves the zone ${declared}`
      : `${model} runs in the zone ${zone}, although ${upstream} is declared as ${declared}: no gate lets a word through to it. Declare a second upstream with \`zone: ${zone}\` for it, or take it off ${upstream}`
    return outcome<Report>({ ...about, state: 'not asked', why }, reportText, { exit: exitCodes.failure, code: 'model.elsewhere', message: why })
  }
  const client = await releaser()
  const key = await createClientKey(client, {
    name: `model-test-${randomBytes(4).toString('hex')}`, gate, lane: lane ?? (gate === 'cloud' ? 'open' : 'private'), max_level: 0, models: [`${upstream}/${model}`], lasts: keyLasts,
  })
  try {
    say(err.paint('dim', `asking ${upstream}/${model} four short questions through gate ${gate}`))
    const port = house().ports[gate === 'local' ? 'gateLocal' : 'gateCloud']
    const tested = await testModel({ address: `http://127.0.0.1:${port}`, key: key.key }, `${upstream}/${model}`)
    const why = tested.state === 'failed' ? (tested.abilities.streaming.why ?? 'it did not answer') : null
    return outcome<Report>({ ...about, ...tested, why }, reportText, why === null ? undefined : { exit: exitCodes.unreachable, code: 'model.silent', message: `${upstream}/${model} answered none of the questions: ${why}` })
  } finally {
    await client.post(`/client-keys/${key.name}/revoke`)
  }
}

const words = { streaming: 'streaming', tools: 'tools', structured: 'structured output', images: 'images' } as const

function reportText(report: Report, terminal: Terminal): string {
  const facts: [string, string][] = [
    ['model', `${report.upstream}/${report.model}`],
    ['runs in', `zone ${report.zone}${report.zone === report.upstream_zone ? '' : `, although ${report.upstream} is declared as ${report.upstream_zone}`}`],
    ['state', paintState(terminal, report.state)],
  ]
  if (report.state === 'not asked') return pairs(terminal, facts)
  const first = report.first_piece_ms
  facts.push(['gate', report.gate ?? 'none'], ['took', `${duration(report.took_ms)}${first === null ? '' : `, the first piece after ${duration(first)}`}`])
  for (const [ability, name] of Object.entries(words)) {
    const { works, why } = report.abilities[ability as keyof typeof words]
    facts.push([name, works ? 'works' : `does not work: ${why}`])
  }
  return pairs(terminal, facts)
}
