import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { makeCertificate } from '../../test/support/certificate.ts'
import { houseFolder, someTools } from '../../test/support/house-folder.ts'
import { loadHouse } from '../house/index.ts'
import { caddyfile, caddyTokenLine } from './caddyfile.ts'
import { meshEntry, type MeshEntry } from './mesh-entry.ts'
import { nftables } from './nftables.ts'
import { pf } from './pf.ts'
import { printExposure } from './print-exposure.ts'

const noCaddy = spawnSync('caddy', ['version']).status === 0 ? false : 'caddy is missing: apt-get install caddy'
const noNft = existsSync('/usr/sbin/nft') ? false : 'nft is missing: apt-get install nftables'

const entry: MeshEntry = {
  proxy: 'caddy', addresses: ['100.64.0.7', 'fd7a:115c:a1e0::7'], interface: 'tailscale0', certificate: null, addsToken: true, devices: [], closed: [7400, 7401, 7402, 7403],
  pages: [{ what: 'dashboard', origin: 'https://house.example.org', port: 7400 }, { what: 'signing', origin: 'https://sign.example.org:8443', port: 7401 }],
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'castellan-expose-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('Caddy takes the file, with and without a certificate of its own, and not one whose token is missing', { skip: noCaddy }, (t) => {
  const at = folder(t)
  const { certificate, key } = makeCertificate('DNS:house.example.org,DNS:sign.example.org')
  const [file, keyFile, token] = [join(at, 'mesh.pem'), join(at, 'mesh.key'), join(at, 'token.caddy')]
  writeFileSync(file, certificate)
  writeFileSync(keyFile, key)
  const validate = (text: string) => {
    writeFileSync(join(at, 'Caddyfile'), text)
    const { status, stderr } = spawnSync('caddy', ['validate', '--config', join(at, 'Caddyfile'), '--adapter', 'caddyfile'], { encoding: 'utf8', env: { PATH: process.env.PATH!, HOME: at } })
    return status === 0 ? 'valid' : stderr
  }
  assert.match(validate(caddyfile(entry, token)), /token\.caddy/)
  writeFileSync(token, caddyTokenLine('secret'))
  assert.equal(validate(caddyfile(entry, token)), 'valid')
  assert.equal(validate(caddyfile({ ...entry, certificate: { file, key: keyFile }, devices: ['100.64.0.9', 'fd7a:115c:a1e0::/64'], addsToken: false }, token)), 'valid')
  assert.throws(() => caddyfile({ ...entry, certificate: { file: '/etc/a"\n}', key: keyFile } }), { code: 'expose.path' })
})

test('nft takes the rules, which close and never open', { skip: noNft }, (t) => {
  const at = folder(t)
  for (const changed of [{}, { devices: ['100.64.0.9', '100.64.1.0/24'] }, { devices: ['fd7a:115c:a1e0::9'] }, { interface: null, addresses: ['100.64.0.7'] }, { addresses: [] }]) {
    const text = nftables({ ...entry, ...changed })
    writeFileSync(join(at, 'castellan.nft'), text)
    const { status, stderr } = spawnSync('unshare', ['--user', '--map-root-user', '--net', '/usr/sbin/nft', '-c', '-f', join(at, 'castellan.nft')], { encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''], text)
    assert.deepEqual(text.match(/\baccept\b.*/g), ['accept;', 'accept'], 'its policy, and loopback')
  }
  // said once for IPv4, where the device is, and shut for IPv6, where none is
  assert.match(nftables({ ...entry, devices: ['100.64.0.9'] }), /ip saddr != \{ 100\.64\.0\.9 \} drop\n.*ip6 daddr \{ fd7a:115c:a1e0::7 \} tcp dport \{ 443, 8443 \} iifname != "tailscale0" drop\n.*ip6 daddr \{ fd7a:115c:a1e0::7 \} tcp dport \{ 443, 8443 \} drop/)
})

test('pf is told the same: it blocks, and lets nothing pass that other rules would stop', () => {
  const text = pf({ ...entry, devices: ['100.64.0.9', '100.64.1.0/24'] })
  assert.deepEqual(text.split('\n').slice(1, -1), [
    'table <castellan_devices> const { 100.64.0.9 100.64.1.0/24 }',
    'block drop in quick on ! lo0 proto tcp from any to any port { 7400 7401 7402 7403 }',
    'block drop in quick on ! tailscale0 inet proto tcp from any to 100.64.0.7 port { 443 8443 }',
    'block drop in quick on tailscale0 inet proto tcp from ! <castellan_devices> to 100.64.0.7 port { 443 8443 }',
    'block drop in quick on ! tailscale0 inet6 proto tcp from any to fd7a:115c:a1e0::7 port { 443 8443 }',
    'block drop in quick on tailscale0 inet6 proto tcp from any to fd7a:115c:a1e0::7 port { 443 8443 }',
  ])
  assert.match(pf({ ...entry, interface: null, devices: ['100.64.0.9'] }), /^block drop in quick on ! lo0 inet proto tcp from ! <castellan_devices> to 100\.64\.0\.7 /m)
  assert.doesNotMatch(text, /\bpass\b/)
})

test('Tailscale serves each page under a name of its own', () => {
  const { files, commands, notes } = printExposure({ ...entry, proxy: 'tailscale', addsToken: false })
  assert.deepEqual(commands.slice(0, 2), ['tailscale serve --service=svc:house --https=443 http://127.0.0.1:7400', 'tailscale serve --service=svc:sign --https=8443 http://127.0.0.1:7401'])
  assert.deepEqual(files.map(({ path }) => path), ['/etc/nftables.d/castellan.nft', '/etc/pf.anchors/castellan'])
  assert.ok(notes.some((note) => /key expiry off/.test(note)))
})

test('an entry is made of a house that says how it is reached, and of devices that are addresses', async (t) => {
  const house = async (text: string) => (await loadHouse(houseFolder(t, { 'castellan.yaml': text }), { tools: someTools, env: {}, now: new Date() })).house!
  const written = 'expose:\n  server: https://house.example.org\n  addresses: [100.64.0.7]\n  token: none\n'
  const dashboard = await house(written)
  assert.deepEqual(meshEntry(dashboard, []).pages.map(({ what }) => what), ['dashboard'])
  const both = meshEntry(await house(`${written}outbox:\n  sign_origin: https://sign.example.org\n`), ['10.8.0.0/24'])
  assert.deepEqual([both.pages.map(({ origin, port }) => [origin, port]), both.devices, both.closed], [[['https://house.example.org', 7400], ['https://sign.example.org', 7401]], ['10.8.0.0/24'], [7400, 7401, 7402, 7403]])
  assert.throws(() => meshEntry({ ...dashboard, settings: { ...dashboard.settings, exposed: null } }, []), { code: 'expose.absent' })
  for (const device of ['phone', '10.8.0.0/33', '10.8.0.0/0', '10.8.0.1/24/8', '10.8.0.1; drop', '10.8.0.0/08', 'fe80::1%eth0', '']) assert.throws(() => meshEntry(dashboard, [device]), { code: 'expose.device' }, device)
  const ports = { ...dashboard.settings.ports, server: 0 }
  assert.throws(() => meshEntry({ ...dashboard, settings: { ...dashboard.settings, ports } }, []), { code: 'expose.port', message: /the dashboard takes any free port.*ports\.server/ })
})
