import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stubHouse } from '../../test/support/cli.ts'
import { houseFolder } from '../../test/support/house-folder.ts'
import { digestOf } from '../kernel/exposure.ts'

interface Printed {
  readonly files: { readonly path: string; readonly text: string }[]
}

test('a token is printed once, with the digest that the house keeps', async (t) => {
  const { run } = await stubHouse(t)
  const [first, second] = [await run(['expose', 'token', 'phone', '--json']), await run(['expose', 'token', 'phone', '--json'])].map((told) => told.json<{ token: string; digest: string }>().data)
  assert.equal(first!.digest, `sha256:${digestOf(first!.token)}`)
  assert.notEqual(first!.token, second!.token)
  assert.match((await run(['expose', 'token', 'phone'])).stdout, /expose:\n\s+tokens:\n\s+phone: sha256:[0-9a-f]{64}\n/)
  assert.equal((await run(['expose', 'token', 'My Phone'])).exit, 2)
})

test('proxy and firewall are printed for the devices that are named, and a house that says nothing says what to write', async (t) => {
  const { run } = await stubHouse(t)
  const folder = houseFolder(t, { 'castellan.yaml': 'expose: { server: "https://house.example.org", addresses: [100.64.0.7], token: none }\n' })
  const { files } = (await run(['expose', '--print', '--json', '--house', folder, '--mesh', '100.64.0.9', '100.64.0.12'])).json<Printed>().data
  assert.deepEqual(files.map(({ path }) => path), ['/etc/caddy/Caddyfile', '/etc/nftables.d/castellan.nft', '/etc/pf.anchors/castellan'])
  assert.match(files[0]!.text, /@strangers not remote_ip 100\.64\.0\.9 100\.64\.0\.12/)
  assert.match((await run(['expose', '--print', '--house', folder])).stdout, /^# \/etc\/caddy\/Caddyfile\n# check it with: caddy validate/)
  const refused = await run(['expose', '--print', '--house', houseFolder(t)])
  assert.deepEqual([refused.exit, /write `expose:` with `server:/.test(refused.stderr)], [2, true])
  assert.equal((await run(['expose', '--print', '--house', folder, '--mesh', 'phone'])).exit, 2)
})
