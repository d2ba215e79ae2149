import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from '../../../test/support/house-folder.ts'

const digest = `sha256:${'a'.repeat(64)}`
const expose = (more: string) => `expose: { ${more} }\n`
const good = `server: "https://house.example.org", addresses: [100.64.0.7], tokens: { caddy: "${digest}" }`

const wrong: Record<string, { yaml: string; what: RegExp }> = {
  'plain http': { yaml: expose(good.replace('https', 'http')), what: /not the origin of a page under https → .*https:\/\/house\.example\.ts\.net/ },
  'a path behind the name': { yaml: expose(good.replace('.org', '.org/')), what: /not the origin/ },
  'an address instead of a name': { yaml: expose(good.replace('house.example.org', '100.64.0.7')), what: /certificates belong to names/ },
  'a name that a shell would run': { yaml: expose(good.replace('house.', '$(reboot).')), what: /\$\(reboot\)\.example\.org is no name of a machine/ },
  'a name that a Caddyfile would take apart': { yaml: expose(good.replace('house.', 'house,other{}.')), what: /is no name of a machine/ },
  'a name for every page there is': { yaml: expose(good.replace('house.', '*.')), what: /\*\.example\.org is no name of a machine/ },
  'a name with a dot behind it': { yaml: expose(good.replace('.org', '.org.')), what: /example\.org\. is no name of a machine/ },
  'a name to sign at that a shell would run': { yaml: `${expose(good)}outbox: { sign_origin: "https://$(reboot).example.org" }\n`, what: /reboot.*is no name of a machine/ },
  'one name for both pages': { yaml: `${expose(good)}outbox: { sign_origin: "https://house.example.org:8443" }\n`, what: /cookies know no ports → give each a name of its own/ },
  'a token that Tailscale cannot show': { yaml: expose(`${good}, proxy: tailscale`), what: /Tailscale Serve adds no header/ },
  'no token that counts': { yaml: expose(good.replace(/, tokens.*/, '')), what: /nobody could reach the pages → run `castellan expose token NAME`/ },
  'a token instead of its digest': { yaml: expose(good.replace(digest, 'n0t-a-digest')), what: /not the digest of a token/ },
  'Caddy on every address': { yaml: expose(good.replace(' addresses: [100.64.0.7],', '')), what: /Caddy would listen everywhere → .*tailscale ip/ },
  'an interface that a rule could not hold': { yaml: expose(`${good}, interface: 'tailscale0" accept'`), what: /the name of an interface/ },
  'a certificate nowhere in particular': { yaml: expose(`${good}, certificate: { file: mesh.pem, key: /etc/mesh.key }`), what: /mesh\.pem is not an absolute path/ },
}

for (const [name, { yaml, what }] of Object.entries(wrong)) {
  test(`castellan.yaml may not expose ${name}`, async (t) => {
    assert.match((await problemsOf(t, { 'castellan.yaml': yaml })).join('\n'), what)
  })
}

test('two names, a token and an address are all it takes', async (t) => {
  assert.deepEqual(await problemsOf(t, { 'castellan.yaml': `${expose(good)}outbox: { sign_origin: "https://sign.example.org" }\n` }), [])
  assert.deepEqual(await problemsOf(t, { 'castellan.yaml': expose('server: "https://house.example.ts.net", proxy: tailscale, token: none') }), [])
})
