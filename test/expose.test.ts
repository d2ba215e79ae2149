import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { caddyfile, caddyTokenLine } from '../src/expose/caddyfile.ts'
import { meshEntry } from '../src/expose/mesh-entry.ts'
import { digestOf } from '../src/kernel/exposure.ts'
import { createAuthenticator } from './support/authenticator.ts'
import { makeCertificate } from './support/certificate.ts'
import { freePort } from './support/free-port.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

const skip = spawnSync('caddy', ['version']).status === 0 ? false : 'caddy is missing: apt-get install caddy'
const token = 'the-service-token-of-the-proxy'
const header = 'castellan-service-token'

type Headers = Record<string, string>

/** Real Caddy, on the file that `castellan expose --print` prints for this house, on loopback instead of a mesh. */
async function startCaddy(t: TestContext, house: RunningHouse, folder: string, ports: readonly number[]): Promise<void> {
  const [config, tokenFile] = [join(folder, 'Caddyfile'), join(folder, 'token.caddy')]
  writeFileSync(tokenFile, caddyTokenLine(token))
  writeFileSync(config, caddyfile(meshEntry(house.up.house().house, ['127.0.0.1']), tokenFile))
  const caddy = spawn('caddy', ['run', '--config', config, '--adapter', 'caddyfile'], { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH!, HOME: folder } })
  let said = ''
  caddy.stderr.on('data', (text: Buffer) => (said += text.toString()))
  t.after(() => caddy.kill('SIGKILL'))
  for (const port of ports) {
    for (let tries = 0; !(await listens(port)); tries++) {
      if (caddy.exitCode !== null || tries > 100) throw new Error(`caddy does not listen on ${port}: ${said}`)
      await delay(100)
    }
  }
}

async function listens(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`).then(() => true, (error: { cause?: { code?: string } }) => error.cause?.code !== 'ECONNREFUSED')
}

test('through a real Caddy both pages work under their names, and nobody gets in beside it', { skip, timeout: 180_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-caddy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [server, releaser, outer, outerSigning] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const [dashboard, signing] = [`https://house.castellan.test:${outer}`, `https://sign.castellan.test:${outerSigning}`]
  const { certificate, key } = makeCertificate('DNS:house.castellan.test,DNS:sign.castellan.test')
  writeFileSync(join(folder, 'mesh.pem'), certificate)
  writeFileSync(join(folder, 'mesh.key'), key, { mode: 0o600 })
  const house = await runningHouse(t, {
    ports: { SERVER: server, RELEASER: releaser },
    edit: (yaml) => `${yaml.replace('outbox:\n', `outbox:\n  sign_origin: ${signing}\n`)}
expose:
  server: ${dashboard}
  addresses: [127.0.0.1]
  certificate: { file: ${join(folder, 'mesh.pem')}, key: ${join(folder, 'mesh.key')} }
  tokens: { caddy: "sha256:${digestOf(token)}" }
`,
  })
  await startCaddy(t, house, folder, [outer, outerSigning])

  const mesh = new Agent({ connect: { ca: certificate, lookup: (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]) } })
  const plain = new Agent()
  t.after(() => Promise.all([mesh.destroy(), plain.destroy()]))
  const ask = async (method: 'GET' | 'POST', url: string, headers: Headers = {}, body?: unknown) => {
    const sent = { ...(method === 'POST' && { origin: new URL(url).origin }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }
    const answer = await request(url, { dispatcher: url.startsWith('https') ? mesh : plain, method, headers: sent, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const text = await answer.body.text()
    const { data, error } = (text.startsWith('{') ? JSON.parse(text) : {}) as { data?: Record<string, unknown>; error?: { code: string } }
    return { status: answer.statusCode, headers: answer.headers, data, code: error?.code, text }
  }
  const { exposed_url: link } = await house.call<{ exposed_url: string }>('server', 'POST', '/api/signin/link')
  assert.ok(link.startsWith(`${dashboard}/#signin=`))
  let cookie = ''

  await t.test('the dashboard: a browser signs in by the link, and its cookie is for this name and https alone', async () => {
    const page = await ask('GET', `${dashboard}/`)
    assert.deepEqual([page.status, page.headers['content-security-policy'] !== undefined, page.headers['x-frame-options']], [200, true, 'DENY'])
    const opened = await ask('POST', `${dashboard}/api/signin`, {}, { code: link.split('=')[1] })
    assert.equal(opened.status, 200)
    assert.match(String(opened.headers['set-cookie']), /^__Host-castellan_session=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure$/)
    cookie = String(opened.headers['set-cookie']).split(';')[0]!
    assert.equal((await ask('GET', `${dashboard}/api/session`, { cookie })).status, 200)
    const csrf = String(opened.data!.csrf)
    assert.equal((await ask('POST', `${dashboard}/api/jobs/morning-mail/pause`, { cookie, 'x-csrf-token': csrf })).status, 200)
    assert.equal((await ask('POST', `${dashboard}/api/jobs/morning-mail/resume`, { cookie, 'x-csrf-token': csrf, origin: signing })).code, 'origin.foreign')
  })

  await t.test('what happens arrives as it happens', async () => {
    const stream = await request(`${dashboard}/api/events`, { dispatcher: mesh, headers: { cookie } })
    assert.match(String(stream.headers['content-type']), /text\/event-stream/)
    const heard = (async () => {
      let text = ''
      for await (const part of stream.body) {
        text += String(part)
        if (/data:.*"jobs"/.test(text)) return text
      }
      return `ended: ${text}`
    })()
    await house.call('server', 'POST', '/api/jobs/morning-mail/resume')
    const late = new AbortController()
    const first = await Promise.race([heard, delay(10_000, 'nothing within 10 s', { signal: late.signal }).catch(() => '')])
    late.abort()
    assert.match(first, /"topic":"jobs"/)
  })

  await t.test('the signing page: a passkey is enrolled for its name, at its origin and at no other', async () => {
    const state = await ask('GET', `${signing}/api/state`)
    assert.deepEqual([state.data!.sign_origin, state.data!.rp_id], [signing, 'sign.castellan.test'])
    const device = createAuthenticator({ origin: signing, rpId: 'sign.castellan.test' })
    const { code } = await house.call<{ code: string }>('releaser', 'POST', '/enrolments', {})
    const { data } = await ask('POST', `${signing}/api/enrol/options`, {}, { code, name: 'phone' })
    const challenge = Buffer.from((data!.options as { challenge: string }).challenge, 'base64url')
    assert.notEqual((await ask('POST', `${signing}/api/enrol`, {}, { code, name: 'phone', response: device.register(challenge, { origin: dashboard }) })).status, 200)
    const again = await house.call<{ code: string }>('releaser', 'POST', '/enrolments', {})
    const offered = await ask('POST', `${signing}/api/enrol/options`, {}, { code: again.code, name: 'phone' })
    const response = device.register(Buffer.from((offered.data!.options as { challenge: string }).challenge, 'base64url'))
    assert.equal((await ask('POST', `${signing}/api/enrol`, {}, { code: again.code, name: 'phone', response })).status, 200)
  })

  await t.test('what a client claims about addresses or a token does not get past Caddy', async () => {
    const claimed = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1', [header]: 'wrong' }
    assert.equal((await ask('GET', `${dashboard}/healthz`, claimed)).status, 200)
    assert.equal((await ask('GET', `${signing}/api/state`, claimed)).status, 200)
  })

  for (const [what, port, name] of [['dashboard', server, dashboard], ['signing page', releaser, signing]] as const) {
    await t.test(`beside Caddy the ${what} is refused under its name, and through any proxy under the machine's`, async () => {
      const { host } = new URL(name)
      const url = `http://127.0.0.1:${port}/${what === 'dashboard' ? 'healthz' : 'api/state'}`
      assert.equal((await ask('GET', url, { host })).code, 'service_token.missing')
      assert.equal((await ask('GET', url, { host, [header]: 'wrong' })).code, 'service_token.unknown')
      assert.equal((await ask('GET', url, { host, [header]: token })).status, 200)
      assert.equal((await ask('GET', url, { host, [header]: token, 'x-forwarded-host': 'evil.example' })).code, 'proxy.forged')
      assert.equal((await ask('GET', url, { host, [header]: token, 'x-forwarded-proto': 'http' })).code, 'proxy.forged')
      assert.equal((await ask('GET', url, { host, [header]: token, 'x-forwarded-for': '127.0.0.1, 203.0.113.9' })).code, 'proxy.forged')
      assert.equal((await ask('GET', url, { 'x-forwarded-for': '203.0.113.9' })).code, 'proxy.unexpected')
      assert.equal((await ask('GET', url, { host: 'evil.example' })).code, 'host.unknown')
      assert.equal((await ask('GET', url)).status, 200)
    })
  }
})
