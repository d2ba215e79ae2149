import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check, RunDetail, ToolRunView, UpstreamView } from '../src/server/api.ts'
import { startModelServer } from './support/model-server.ts'
import { runningHouse } from './support/running-house.ts'

const openJob = `
summary: Asks a model, in the open lane
lane: open
steps:
  - { id: answer, uses: model.ask, with: { task: summarize, prompt: "Good morning?" } }
`

test('a house with Ollama and no cloud has an answer for both lanes, and says how its models are', { timeout: 240_000 }, async (t) => {
  const ollama = await startModelServer({ models: [{ name: 'small:latest' }] })
  t.after(() => ollama.close())
  const house = await runningHouse(t, { jobs: { 'open.yaml': openJob }, edit: (yaml) => yaml.replaceAll('http://127.0.0.1:11434', ollama.url) })

  const { id } = await house.call<{ id: string }>('server', 'POST', '/api/jobs/open/run')
  const run = await house.call<RunDetail>('server', 'GET', `/api/runs/${id}?wait=30`)
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error))
  assert.match(run.executor!, /^worker-open@/)
  assert.deepEqual(run.steps[0]!.output, { text: 'Good morning.', model: 'ollama/small:latest', madeWithoutModel: false })
  const byHand = await house.call<ToolRunView>('server', 'POST', '/api/tools/model.ask/run', { input: { task: 'summarize', prompt: 'Good evening?' }, wait: 30 })
  assert.equal((byHand.output as { model: string }).model, 'ollama/small:latest', JSON.stringify(byHand.error))

  const models = async () => (await house.call<UpstreamView[]>('server', 'GET', '/api/models?fresh=1')).map(({ name, state, models: has, calls }) => [name, state, has.length, calls])
  const doctor = async () => (await house.call<Check[]>('server', 'GET', '/api/doctor')).filter((check) => check.id === 'models').map(({ status, what }) => `${status}: ${what}`)
  assert.deepEqual(await models(), [['ollama', 'answers', 1, 2]])
  assert.deepEqual(await doctor(), ['ok: 1 of 1 upstreams answers'])
  await ollama.down()
  assert.deepEqual(await models(), [['ollama', 'silent', 0, 2]])
  assert.match((await doctor())[0]!, /^warn: 0 of 1 upstreams answer; ollama is silent: upstream ollama cannot be reached/)
})
