import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { runCli } from '../src/cli/program.ts'
import { up } from '../src/processes/up.ts'
import { freePort } from './support/free-port.ts'

test('a house whose database folder was put back from before a key was revoked starts, says what stands still, and opens nothing to that key', async (t) => {
  for (const port of ['SERVER', 'RELEASER', 'GATE_CLOUD']) process.env[`CASTELLAN_PORT_${port}`] = '0'
  const gate = await freePort()
  process.env['CASTELLAN_PORT_GATE_LOCAL'] = String(gate)
  const home = mkdtempSync(join(tmpdir(), 'castellan-home-'))
  const [database, copy] = [join(home, 'database'), join(home, 'database-before')]
  t.after(() => rmSync(home, { recursive: true, force: true }))
  chmodSync(home, 0o711)
  cpSync(join(import.meta.dirname, '..', 'house'), join(home, 'house'), { recursive: true })

  const cli = async (...argv: string[]) => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    await runCli([...argv, '--json', '--home', home], { stdin, stdout, stderr, env: { ...process.env, CASTELLAN_HOME: home } } as never)
    return JSON.parse(String(stdout.read() ?? '{}')) as { data: Record<string, string> & { fence: { why: string; waiting: string[] } | null }; error?: { code: string } }
  }
  const asked = async (key: string) => {
    const answer = await fetch(`http://127.0.0.1:${gate}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    const { error } = (await answer.json()) as { error?: { code: string } }
    return [answer.status, error?.code]
  }
  const live = async (doing: () => Promise<void>) => {
    const running = await up({ home })
    try {
      await running.settled
      await doing()
    } finally {
      await running.stop()
    }
  }

  let [revoked, kept] = ['', '']
  await live(async () => {
    revoked = (await cli('key', 'create', 'leaked')).data['key']!
    kept = (await cli('key', 'create', 'kept')).data['key']!
    assert.deepEqual(await asked(revoked), [200, undefined])
  })
  // with its owners, as tar does
  execFileSync('cp', ['-a', database, copy])
  await live(async () => {
    assert.deepEqual(await asked(kept), [200, undefined], 'a usual start is no older copy')
    assert.equal((await cli('key', 'revoke', 'leaked', '--yes')).error, undefined)
    assert.deepEqual(await asked(revoked), [401, 'session_unknown'])
  })
  rmSync(database, { recursive: true })
  execFileSync('cp', ['-a', copy, database])
  await live(async () => {
    assert.deepEqual(await asked(revoked), [401, 'session_unknown'], 'the file knows that it was revoked')
    assert.deepEqual(await asked(kept), [503, 'outbox.fenced'])
    const { fence } = (await cli('status')).data
    assert.match(fence!.why, /it does not know that a clearance, key or order was taken back/)
    assert.deepEqual(fence!.waiting, ['1 key of a program'])
    assert.equal((await cli('key', 'create', 'another')).error?.code, 'outbox.fenced')
    const { draft } = (await cli('outbox', 'resume')).data
    assert.match(JSON.stringify((await cli('draft', 'show', draft!)).data), /castellan key revoke kept/)
  })
})
