import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../kernel/fault.ts'
import { jobDefinition, stepDefinition } from '../../../test/support/jobs.ts'
import { testServer, tool } from '../../../test/support/server.ts'
import type { RunSummary, ToolRunView, ToolView } from '../api.ts'

const carrier = jobDefinition({ name: 'tool.text.echo', tries: 1, steps: [stepDefinition('call', { uses: 'text.echo', with: '{{ input }}' as never })] })

test('tools are listed with the schema of their input', async (t) => {
  const server = await testServer(t)
  assert.deepEqual((await server.get<ToolView[]>('/api/tools')).data, [tool])
})

test('one tool runs as a run of its own, and its output comes back', async (t) => {
  const server = await testServer(t, [carrier])
  const answer = server.post<ToolRunView>('/api/tools/text.echo/run', { input: { say: 'hello' } })
  const run = await appears(server)
  await server.execute(run, { output: { said: 'hello' }, without_model: true })
  server.deps.wakes.emit('wake')
  const { data } = await answer
  assert.deepEqual({ ...data, label: data.label.word }, {
    run, tool: 'text.echo', state: 'succeeded', output: { said: 'hello' }, withheld: false, label: 'P1 low', made_without_model: true, error: null,
  })
  assert.deepEqual(await server.requests(), [{ subject: 'tool.text.echo', detail: { request: 'tool.run', key: null } }])
})

test('a tool that fails answers with its error; one that parks answers at once', async (t) => {
  const server = await testServer(t, [carrier])
  const failing = server.post<ToolRunView>('/api/tools/text.echo/run')
  const first = await appears(server)
  await server.execute(first, { state: 'failed', output: undefined, error: { code: 'test.down', message: 'it is down' } })
  const { data: failed } = await failing
  assert.deepEqual([failed.state, failed.error?.code, failed.output], ['dead', 'test.down', null])
  const parking = server.post<ToolRunView>('/api/tools/text.echo/run')
  const second = await appears(server, first)
  await server.execute(second, { state: 'parked' })
  assert.equal((await parking).data.state, 'parked')
})

test('a tool that nobody knows is not opened as a run', async (t) => {
  const server = await testServer(t, [carrier])
  t.mock.method(server.deps.tools, 'describe', () => {
    throw new Fault('missing', 'tool.missing', 'there is no such tool')
  })
  const { status, error } = await server.post('/api/tools/text.echo/run')
  assert.deepEqual([status, error.code], [404, 'tool.missing'])
  assert.deepEqual((await server.get<RunSummary[]>('/api/runs')).data, [])
})

/** The run that a pending request has opened. */
async function appears(server: Awaited<ReturnType<typeof testServer>>, after?: string): Promise<string> {
  for (;;) {
    const newest = (await server.get<RunSummary[]>('/api/runs?limit=1')).data[0]
    if (newest !== undefined && newest.id !== after) return newest.id
  }
}
