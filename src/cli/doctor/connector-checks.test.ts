import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SocketClient } from '../connection/socket-client.ts'
import { connectorChecks } from './connector-checks.ts'

const state = { name: 'mail', kind: 'smtp', account: 'me via smtp.example.org:465', refusal: null as string | null, last_problem: null as object | null, copies: { late: 0, failed: 0 } }

async function check(more: Partial<typeof state>, reached: object | null) {
  const asked: string[] = []
  const client = { get: async (path: string) => (asked.push(path), path === '/connectors' ? [{ ...state, ...more }] : reached) } as Partial<SocketClient> as SocketClient
  const [{ status, what, mend } = assert.fail('no check')] = await connectorChecks(async () => client)
  return { status, what, mend, reached: asked.includes('/connectors/mail/reach') }
}

test('a connector is well when its server answers, and what is wrong comes with what to do', async () => {
  assert.deepEqual(await check({}, { ok: true, said: '220 hello' }), { status: 'ok', what: 'me via smtp.example.org:465 answers: 220 hello', mend: undefined, reached: true })
  assert.deepEqual(await check({ kind: 'file', account: '/out' }, null), { status: 'ok', what: 'file: /out', mend: undefined, reached: true })
  assert.deepEqual(await check({}, { ok: false, what: 'ECONNREFUSED' }), { status: 'fail', what: 'ECONNREFUSED', mend: 'castellan config check', reached: true })
  assert.deepEqual(await check({ refusal: 'one user' }, null), { status: 'warn', what: 'one user', mend: undefined, reached: false })
  const problem = { draft: 'd1', state: 'unknown', reason: 'nobody knows' }
  assert.deepEqual(await check({ last_problem: problem }, { ok: true, said: '220' }), { status: 'warn', what: 'nobody knows', mend: 'castellan draft show d1', reached: true })
  assert.equal((await check({ last_problem: { ...problem, state: 'failed' } }, { ok: true, said: '220' })).status, 'ok')
  assert.match((await check({ copies: { late: 1, failed: 2 } }, { ok: true, said: '220' })).what, /^3 copies/)
})

test('a releaser that does not answer is a failure, and not the end of the examination', async () => {
  assert.deepEqual(await connectorChecks(() => Promise.reject(new Error('no socket'))), [{ id: 'connectors', status: 'fail', what: 'no socket', mend: 'castellan up' }])
})
