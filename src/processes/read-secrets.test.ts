import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { houseFolder, someTools } from '../../test/support/house-folder.ts'
import { temporaryFolder } from '../../test/support/outbox.ts'
import { loadHouse } from '../house/index.ts'
import { processNames } from './boot.ts'
import { secretsOf } from './read-secrets.ts'

const yaml = `
models: { routes: {}, upstreams: { ollama: { kind: ollama, url: "http://127.0.0.1:11434", zone: machine }, far: { kind: openai, url: "https://api.example/v1", zone: cloud, key: { secret: far } } } }
outbox: { connectors: { mail: { kind: smtp, host: smtp.example.org, from: me@example.org, user: me, password: { secret: smtp } } } }
`

test('the password of a mail server reaches the releaser, and no other process; nor do the keys of models reach the releaser', async (t) => {
  const { house, problems } = await loadHouse(houseFolder(t, { 'castellan.yaml': yaml }), { tools: someTools, env: {} })
  assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), [])
  const home = temporaryFolder(t)
  mkdirSync(join(home, 'secrets'))
  for (const name of ['smtp', 'far']) writeFileSync(join(home, 'secrets', name), `value of ${name}\n`, { mode: 0o600 })
  const held = Object.fromEntries(processNames.map((name) => [name, secretsOf(name, house!, home)]).filter(([, secrets]) => Object.keys(secrets as object).length > 0))
  assert.deepEqual(held, { releaser: { smtp: 'value of smtp' }, 'gate-cloud': { far: 'value of far' } })
  chmodSync(join(home, 'secrets', 'smtp'), 0o644)
  assert.throws(() => secretsOf('releaser', house!, home), { code: 'secret.mode' })
  assert.deepEqual(secretsOf('worker-private', house!, home), {})
})
