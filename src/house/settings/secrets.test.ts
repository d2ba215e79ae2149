import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { houseFolder, problemsOf, someTools } from '../../../test/support/house-folder.ts'
import { loadHouse } from '../index.ts'

const wrong: Record<string, { yaml: string; what: RegExp }> = {
  'a secret that is written out': { yaml: 'secrets: { smtp: hunter2hunter2 }\n', what: /secrets\.smtp/ },
  'a secret out of the environment': { yaml: 'secrets: { smtp: { from: env, name: SMTP } }\n', what: /secrets\.smtp\.from cannot be "env" → (did you mean|one of)/ },
  'a reference that is none': { yaml: 'secrets: { smtp: { from: op, reference: "Private/smtp" } }\n', what: /a reference is written op:\/\/vault\/item\/field/ },
  'an argument that a program could take for an option': { yaml: 'secrets: { smtp: { from: keychain, service: "-w" } }\n', what: /does not begin with -/ },
  'a key that would break out of its brackets': { yaml: 'secrets: { smtp: { from: sops, file: a.yaml, key: [\'a"]["b\'] } }\n', what: /no quotes, brackets or backslashes/ },
  'a period that is none': { yaml: 'secrets: { smtp: { from: made, rotate_every: quarterly } }\n', what: /secrets\.smtp\.rotate_every.*write e\.g\. 90d, or never|is not a duration/ },
  'a program that the PATH would choose': { yaml: 'secrets: { smtp: { from: file, file: a, rotate_command: [newpass] } }\n', what: /newpass is not an absolute path → write the whole path/ },
  'a made secret in a form that its webhook cannot use': { yaml: 'secrets: { crm: { from: made } }\nwebhooks: { crm: { kind: standard, secrets: [ { secret: crm } ] } }\n', what: /secrets begin with whsec_ → write form: whsec/ },
  'a value in the clear where tools read': { yaml: 'secrets: { smtp: { from: file, file: vault/smtp } }\n', what: /vault\/smtp lies in the folder vault, where tools and jobs read → keep it outside/ },
  'the key of a file where tools read': { yaml: 'secrets: { smtp: { from: age, file: vault/smtp.age, identity: vault/../vault/key } }\n', what: /vault\/key lies in the folder vault, where tools and jobs read/ },
  'a name that is a path': { yaml: 'secrets: { "../x": { from: made } }\n', what: /\.\.\/x/ },
}

for (const [name, { yaml, what }] of Object.entries(wrong)) {
  test(`${name} is refused`, async (t) => {
    const problems = await problemsOf(t, { 'castellan.yaml': yaml })
    const found = problems.find((problem) => what.test(problem))
    assert.ok(found, problems.join('\n') || 'no problem was found')
    assert.doesNotMatch(found, /hunter2hunter2/, 'what was written out is not said again')
  })
}

test('each source has its place, paths are absolute, and a quarter is how long a secret lives unless said otherwise', async (t) => {
  const folder = houseFolder(t, { 'castellan.yaml': `secrets:
  hook: { from: made, form: hex, rotate_every: never }
  token: { from: op, reference: "op://Castellan/Shop/token", rotate_command: [/opt/new-token, shop] }
  smtp: { from: sops, file: secrets/all.yaml, key: [smtp, 0, password], age_key_file: ~/.config/sops/key.txt }
  forge: { from: age, file: /srv/forge.age, identity: ~/.age/key.txt, rotate_by: made }
` })
  const { house } = await loadHouse(folder, { tools: someTools, env: {} })
  const common = { everyMs: 7_776_000_000, by: 'typed', form: 'base64url' }
  assert.deepEqual(house!.settings.secrets, [
    { name: 'hook', everyMs: null, by: 'made', form: 'hex', from: 'made' },
    { name: 'token', ...common, by: { command: ['/opt/new-token', 'shop'] }, from: 'op', reference: 'op://Castellan/Shop/token' },
    { name: 'smtp', ...common, from: 'sops', file: join(folder, 'secrets/all.yaml'), key: ['smtp', 0, 'password'], ageKeyFile: join(homedir(), '.config/sops/key.txt') },
    { name: 'forge', ...common, by: 'made', from: 'age', file: '/srv/forge.age', identity: join(homedir(), '.age/key.txt') },
  ])
})
