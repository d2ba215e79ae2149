import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lanesByName, zonesOf, type GateName, type Label, type Level, type Zone } from '../labels/index.ts'
import { plan, providerSet, toBeListed, type KnownUpstream, type Plan, type PlanRequest } from './plan.ts'
import type { ModelInfo } from './upstream.ts'

const model = (name: string, zone: Zone, embedding = false): ModelInfo => ({ name, zone, embedding })

const lanes = lanesByName([
  { name: 'private', worker: 'private', cloudClearance: -1, providers: ['ollama', 'box'] },
  { name: 'open', worker: 'open', cloudClearance: 1, providers: ['ollama', 'box', 'cloud', 'ollama-cloud'] },
  { name: 'client', worker: 'open', cloudClearance: 1, cleared: [{ name: 'cloud', url: 'https://cloud.example/v1' }], providers: ['cloud', 'ollama-cloud'] },
  { name: 'narrow', worker: 'open', cloudClearance: 1, providers: ['ollama-cloud'] },
  { name: 'nothing', worker: 'open', cloudClearance: 1, providers: [] },
])
const upstreams: KnownUpstream[] = [
  {
    name: 'ollama', zone: 'machine', listsAll: true,
    models: [model('nomic-embed-text:latest', 'machine', true), model('kimi:cloud', 'cloud'), model('llama3.2:latest', 'machine'), model('qwen3:8b', 'machine')],
  },
  { name: 'box', zone: 'mesh', listsAll: false, models: [model('mistral', 'mesh'), model('qwen3:8b', 'mesh')] },
  { name: 'cloud', zone: 'cloud', url: 'https://cloud.example/v1', listsAll: false, models: [model('whisper-1', 'cloud'), model('gpt-5', 'cloud')] },
  { name: 'ollama-cloud', zone: 'cloud', listsAll: true, models: [model('kimi:cloud', 'cloud')] },
]
const routes = {
  summarize: [{ upstream: 'ollama', model: 'auto' }],
  analyze: [{ upstream: 'cloud', model: 'gpt-5' }, { upstream: 'ollama', model: 'qwen3:8b' }],
  frontier: [{ upstream: 'cloud', model: 'gpt-5' }],
  default: [{ upstream: 'box', model: 'auto' }, { upstream: 'ollama', model: 'auto' }],
}
const vectors = { vectors: [{ upstream: 'ollama', model: 'nomic-embed-text' }, { upstream: 'box', model: 'e5' }] }
const unlisted = ({ models: _, ...upstream }: KnownUpstream): KnownUpstream => upstream
const silenced = (name: string) => upstreams.map((upstream) => (upstream.name === name ? unlisted(upstream) : upstream))
const at = (level: Level, ...names: string[]): Label => ({ level, integrity: 'trusted', lanes: names })

function short(result: Plan): string {
  return result.outcome === 'planned' ? result.candidates.map((candidate) => `${candidate.upstream}/${candidate.model}`).join(' ') : result.outcome
}

type Row = [what: string, gate: GateName, label: Label, asked: string, expected: string, more?: Partial<PlanRequest>]
const table: Row[] = [
  ['auto takes the default route', 'local', at(1, 'open'), 'auto', 'box/mistral ollama/llama3.2:latest'],
  ['auto of a task takes its route', 'local', at(1, 'open'), 'auto', 'ollama/llama3.2:latest', { task: 'summarize' }],
  ['auto of a task without a route takes the default', 'local', at(1, 'open'), 'auto', 'box/mistral ollama/llama3.2:latest', { task: 'translate' }],
  ['auto without any route takes every upstream in order', 'local', at(1, 'open'), 'auto', 'ollama/llama3.2:latest box/mistral', { routes: {} }],
  ['auto skips embeddings and models that run elsewhere', 'local', at(0), 'ollama/auto', 'ollama/llama3.2:latest'],
  ['vectors are made by the first that makes vectors', 'local', at(3, 'private'), 'auto', 'ollama/nomic-embed-text:latest', { embedding: true, routes: {} }],
  ['a model that answers makes no vectors', 'local', at(3, 'private'), 'ollama/qwen3:8b', 'unknown', { embedding: true }],
  ['vectors by name from an upstream that does not list all', 'cloud', at(1, 'open'), 'cloud/bge-m3', 'cloud/bge-m3', { embedding: true }],
  ['vectors of another model do not stand in for those of one that is silent', 'local', at(1, 'open'), 'task:vectors', 'silent', { embedding: true, upstreams: silenced('ollama'), routes: vectors }],
  ['the same model elsewhere does', 'local', at(1, 'open'), 'task:vectors', 'box/nomic-embed-text', { embedding: true, upstreams: silenced('ollama'), routes: { vectors: [...vectors.vectors, { upstream: 'box', model: 'nomic-embed-text' }] } }],
  ['a task by name', 'local', at(1, 'open'), 'task:summarize', 'ollama/llama3.2:latest'],
  ['a task without a route is unknown', 'local', at(1, 'open'), 'task:constructor', 'unknown'],
  ['upstream and model', 'local', at(3, 'private'), 'ollama/qwen3:8b', 'ollama/qwen3:8b'],
  ['a name without its tag', 'local', at(3, 'private'), 'llama3.2', 'ollama/llama3.2:latest'],
  ['a model by name alone is wherever it is listed', 'local', at(2, 'private'), 'qwen3:8b', 'ollama/qwen3:8b box/qwen3:8b'],
  ['a model that nobody lists is unknown, also where lists are incomplete', 'local', at(2, 'private'), 'gpt-9', 'unknown'],
  ['an unlisted model may be asked of an upstream whose list is incomplete', 'cloud', at(1, 'open'), 'cloud/gpt-5-turbo', 'cloud/gpt-5-turbo'],
  ['P3 stays on the machine', 'local', at(3, 'private'), 'auto', 'ollama/llama3.2:latest'],
  ['P3 may not go to the mesh by name', 'local', at(3, 'private'), 'box/mistral', 'refused'],
  ['P2 may go to the mesh', 'local', at(2, 'private'), 'box/mistral', 'box/mistral'],
  ['a route’s far models fall out before fallback', 'local', at(3, 'private'), 'task:analyze', 'ollama/qwen3:8b'],
  ['a route that leads only to the cloud is refused for a private run', 'local', at(2, 'private'), 'task:frontier', 'refused'],
  ['a cloud model by name is refused for a private run', 'local', at(2, 'private'), 'cloud/gpt-5', 'refused'],
  ['a cloud model for an open run is the other gate’s', 'local', at(1, 'open'), 'cloud/gpt-5', 'unknown'],
  ['a :cloud model behind the near daemon is a cloud model', 'local', at(0, 'open'), 'ollama/kimi:cloud', 'refused'],
  ['so it is by its name alone', 'local', at(3, 'private'), 'kimi:cloud', 'refused'],
  ['a near model that is silent is not replaced by a far one', 'local', at(2, 'private'), 'task:analyze', 'silent', { upstreams: silenced('ollama') }],
  ['a silent upstream leaves the others', 'local', at(1, 'open'), 'auto', 'box/mistral', { upstreams: silenced('ollama') }],
  ['P1 of an open lane reaches the cloud', 'cloud', at(1, 'open'), 'cloud/gpt-5', 'cloud/gpt-5'],
  ['a route’s near models are not the cloud gate’s', 'cloud', at(1, 'open'), 'task:analyze', 'cloud/gpt-5'],
  ['a cloud’s first model is nobody’s choice', 'cloud', at(1, 'open'), 'cloud/auto', 'unknown'],
  ['a :cloud model where its daemon is declared as cloud', 'cloud', at(1, 'open'), 'ollama-cloud/auto', 'ollama-cloud/kimi:cloud'],
  ['P2 of an open lane does not', 'cloud', at(2, 'open'), 'cloud/gpt-5', 'refused'],
  ['P2 of a lane whose provider was cleared for it does', 'cloud', at(2, 'client'), 'cloud/gpt-5', 'cloud/gpt-5'],
  ['P2 of that lane reaches no other provider', 'cloud', at(2, 'client'), 'ollama-cloud/kimi:cloud', 'refused'],
  ['and not that one at another address', 'cloud', at(2, 'client'), 'cloud/gpt-5', 'refused', { upstreams: upstreams.map((one) => ({ ...one, url: 'https://elsewhere.example/v1' })) }],
  ['what a signed act clears is handed on as it is', 'local', at(2, 'client'), 'cloud/gpt-5', 'cloud/gpt-5', { handsOn: true }],
  ['in the order of its route', 'local', at(2, 'client'), 'task:frontier', 'cloud/gpt-5', { handsOn: true }],
  ['but not for a caller for whom gate cloud cannot be asked', 'local', at(2, 'client'), 'cloud/gpt-5', 'refused'],
  ['not to another provider', 'local', at(2, 'client'), 'ollama-cloud/kimi:cloud', 'refused', { handsOn: true }],
  ['not P3', 'local', at(3, 'client'), 'cloud/gpt-5', 'refused', { handsOn: true }],
  ['and not P1, which has a gate of its own', 'local', at(1, 'client'), 'cloud/gpt-5', 'refused', { handsOn: true }],
  ['a machine of one’s own may see P3 once that was signed', 'local', at(3, 'private'), 'box/mistral', 'box/mistral', { upstreams: upstreams.map((one) => (one.name === 'box' ? { ...one, owned: true } : one)) }],
  ['two lanes are cleared for the lower', 'cloud', at(2, 'client', 'open'), 'cloud/gpt-5', 'refused'],
  ['two lanes allow what both allow', 'cloud', at(1, 'narrow', 'open'), 'cloud/gpt-5', 'refused'],
  ['P3 is refused whatever the lane', 'cloud', at(3, 'client'), 'cloud/gpt-5', 'refused'],
  ['P0 of the private lane is refused', 'cloud', at(0, 'private'), 'cloud/gpt-5', 'refused'],
  ['a private worker is refused whatever the label', 'cloud', at(0), 'cloud/gpt-5', 'refused', { worker: 'private' }],
  ['a lane without providers reaches nothing', 'local', at(0, 'nothing'), 'auto', 'refused'],
  ['a lane that is not declared reaches nothing', 'local', at(0, 'gone'), 'auto', 'refused'],
  ['nothing declared is unknown to who is cleared', 'cloud', at(1, 'open'), 'auto', 'unknown', { upstreams: upstreams.slice(0, 2) }],
  ['and refused to who is not', 'cloud', at(2, 'open'), 'auto', 'refused', { upstreams: upstreams.slice(0, 2) }],
]

for (const [what, gate, label, asked, expected, more] of table) {
  test(`gate ${gate}: ${what}`, () => {
    const worker = label.lanes.includes('private') ? 'private' : 'open'
    assert.equal(short(plan({ gate, model: asked, label, worker, lanes, upstreams, routes, ...more })), expected)
  })
}

test('a refusal says the word with the level, and which lane it is', () => {
  const refused = plan({ gate: 'cloud', model: 'cloud/gpt-5', label: at(2, 'client', 'open'), worker: 'open', lanes, upstreams, routes })
  assert.ok(refused.outcome === 'refused')
  assert.match(refused.reason, /P2 internal.*lane open is cleared for up to P1 low/)
  const local = plan({ gate: 'local', model: 'cloud/gpt-5', label: at(3, 'private'), worker: 'private', lanes, upstreams, routes })
  assert.ok(local.outcome === 'refused')
  assert.match(local.reason, /P3 local only.*may not reach cloud.*lane private allows ollama, box.*reaches ollama/)
})

const anyLabel = fc.record({
  level: fc.constantFrom<Level>(0, 1, 2, 3),
  integrity: fc.constantFrom('trusted' as const, 'untrusted' as const),
  lanes: fc.uniqueArray(fc.constantFrom('private', 'open', 'client', 'narrow', 'nothing', 'gone')),
})
const anyRequest = fc.record({
  gate: fc.constantFrom<GateName>('local', 'cloud'),
  label: anyLabel,
  worker: fc.constantFrom('open' as const, 'private' as const),
  model: fc.constantFrom('auto', 'task:analyze', 'task:frontier', 'task:summarize', 'cloud/gpt-5', 'ollama/qwen3:8b', 'qwen3:8b', 'kimi:cloud', 'x'),
  silent: fc.subarray(['ollama', 'box', 'cloud', 'ollama-cloud']),
})

test('no plan leaves its set, its gate or its zone, whoever is silent', () => {
  fc.assert(
    fc.property(anyRequest, ({ silent, ...given }) => {
      const known = upstreams.map((upstream) => (silent.includes(upstream.name) ? unlisted(upstream) : upstream))
      const request: PlanRequest = { ...given, lanes, routes, upstreams: known }
      const result = plan(request)
      assert.deepEqual(result.set, providerSet({ ...request, upstreams }), 'the set does not depend on who answers')
      for (const name of toBeListed(request)) assert.ok(result.set.includes(name), 'nobody outside the set is asked for its models')
      if (result.outcome !== 'planned') return
      for (const candidate of result.candidates) {
        assert.ok(result.set.includes(candidate.upstream))
        assert.ok(zonesOf[given.gate].includes(candidate.zone))
        if (candidate.zone === 'cloud') assert.ok(given.worker === 'open' && given.label.level <= 2)
        if (candidate.zone === 'mesh') assert.ok(given.label.level <= 2)
      }
    }),
  )
})

test('a higher label or one more lane never adds to the set', () => {
  fc.assert(
    fc.property(anyRequest, anyLabel, ({ gate, worker, label }, more) => {
      const setOf = (given: Label) => providerSet({ gate, worker, label: given, lanes, upstreams })
      const raised: Label = { ...label, level: Math.max(label.level, more.level) as Level, lanes: [...new Set([...label.lanes, ...more.lanes])] }
      for (const name of setOf(raised)) assert.ok(label.lanes.length === 0 || setOf(label).includes(name))
    }),
  )
})
