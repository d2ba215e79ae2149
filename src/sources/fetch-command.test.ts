import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CommandSourceSettings } from '../house/index.ts'
import type { SandboxResult } from '../sandbox/index.ts'
import { fetchCommand } from './fetch-command.ts'

const source = { kind: 'command', name: 'tickets', argv: [process.execPath], network: [], private: false, format: 'text', bytes: 1_000, timeoutMs: 1_000 } as unknown as CommandSourceSettings

test('what a command wrote before its memory, or a signal, ended it is no answer, whatever it ended with', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-fetch-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const fetch = (end: Pick<SandboxResult, 'ended' | 'exitCode'>) => fetchCommand(source, {}, {
    secrets: {}, signal: new AbortController().signal, credentialFile: '/credential', folder,
    sandbox: { run: async () => ({ ...end, stdout: Buffer.from('half of it'), stderr: Buffer.alloc(0) }) },
    ledger: { opened: async () => '', closed: async () => {}, refused: async () => {} },
  })
  await assert.rejects(fetch({ ended: 'memory', exitCode: 0 }), { code: 'source.memory', message: /more memory than a command may have/ })
  await assert.rejects(fetch({ ended: 'signal', exitCode: 139 }), { code: 'source.exit', message: /was ended by signal 11/ })
  assert.equal((await fetch({ ended: 'exit', exitCode: 0 })).body.toString(), 'half of it')
  assert.deepEqual(readdirSync(folder), [])
})
