import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { plainAccount } from '../../test/support/mirror.ts'
import type { House } from '../house/index.ts'
import { processNames } from './boot.ts'
import { credentialsOf, secretsOf } from './read-secrets.ts'

test('each secret reaches the one process that needs it: keys of models their gate, passwords of mailboxes and connectors the releaser, what webhooks are verified by the server, what sources are read with the reader, those of an exporter both gates', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'castellan-secrets-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'secrets'))
  for (const name of ['near', 'far', 'mail', 'smtp', 'traces', 'hook', 'path', 'token', 'api', 'bot', 'forge', 'dav', 'news', 'lists', 'crm', 'vendor', 'unused']) writeFileSync(join(home, 'secrets', name), `value of ${name}\n`, { mode: 0o600 })
  const house = {
    settings: {
      models: { upstreams: [{ name: 'a', zone: 'machine', key: { secret: 'near' } }, { name: 'b', zone: 'cloud', key: { secret: 'far' } }], routes: {} },
      telemetry: { traces: { authorization: { secret: 'traces' } } },
      webhooks: [{ kind: 'github', secrets: [{ secret: 'hook' }] }, { kind: 'gumroad', secrets: [{ secret: 'path' }], token: { secret: 'token' } }],
      sources: [{ kind: 'http', credential: { secret: 'crm' } }, { kind: 'command', credential: { secret: 'vendor' } }, { kind: 'http' }],
      mail: { accounts: [{ ...plainAccount, port: 143 }, { ...plainAccount, name: 'other', password: { secret: 'missing' }, port: 143 }] },
      outbox: { connectors: [{ kind: 'file' }, { kind: 'smtp', password: { secret: 'smtp' } }, { kind: 'smtp' }, { kind: 'webhook', secret: { secret: 'hook' } }, { kind: 'http', credential: { secret: 'api' } }, { kind: 'http' }, { kind: 'telegram', token: { secret: 'bot' } }, { kind: 'github', token: { secret: 'forge' } }, { kind: 'git' }, { kind: 'files' }, { kind: 'caldav', password: { secret: 'dav' } }, { kind: 'mastodon', token: { secret: 'news' } }, { kind: 'listmonk', token: { secret: 'lists' } }] },
    },
  } as unknown as House
  const given = Object.fromEntries(processNames.map((name) => [name, secretsOf(name, house, home)]))
  assert.deepEqual(given, {
    server: { hook: 'value of hook', path: 'value of path', token: 'value of token' }, 'worker-open': {}, 'worker-private': {}, reader: { crm: 'value of crm', vendor: 'value of vendor' },
    releaser: { mail: 'value of mail', smtp: 'value of smtp', hook: 'value of hook', api: 'value of api', bot: 'value of bot', forge: 'value of forge', dav: 'value of dav', news: 'value of news', lists: 'value of lists' },
    'gate-local': { near: 'value of near', traces: 'value of traces' }, 'gate-cloud': { far: 'value of far', traces: 'value of traces' },
  })
  const byUnit = Object.fromEntries(processNames.map((name) => [name, credentialsOf(name, house, join(home, 'secrets'))]))
  assert.deepEqual(byUnit, given, 'a unit provides the same, and a process looks for no other name')
  assert.deepEqual(credentialsOf('releaser', house, undefined), {})
  chmodSync(join(home, 'secrets', 'mail'), 0o440)
  assert.equal(credentialsOf('releaser', house, join(home, 'secrets')).mail, 'value of mail', 'systemd shows its access list as the right of a group')
  chmodSync(join(home, 'secrets', 'mail'), 0o644)
  assert.throws(() => credentialsOf('releaser', house, join(home, 'secrets')), { code: 'secret.mode' })
  assert.throws(() => secretsOf('releaser', house, home), { code: 'secret.mode' })
})
