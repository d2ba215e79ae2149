import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { origin, testServer } from '../../test/support/server.ts'
import { createLoopbackApp } from './index.ts'

const host = new URL(origin).host

async function servedApp(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'castellan-pages-'))
  t.after(() => rmSync(parent, { recursive: true }))
  const pages = join(parent, 'dashboard')
  mkdirSync(join(pages, 'assets'), { recursive: true })
  writeFileSync(join(parent, 'secret.txt'), 'not yours')
  writeFileSync(join(pages, 'index.html'), '<meta name="csp-nonce" content="__CSP_NONCE__"><script type="module" src="/assets/index-abc.js"></script>')
  writeFileSync(join(pages, 'assets', 'index-abc.js'), 'start()')
  writeFileSync(join(pages, 'favicon.svg'), '<svg/>')
  const server = await testServer(t)
  const app = createLoopbackApp({ ...server.deps, origin: () => origin, pages })
  t.after(() => app.close())
  return (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers: { host, ...headers } })
}

test('every path of the app is its page, with a nonce of its own each time', async (t) => {
  const get = await servedApp(t)
  const nonces = new Set<string>()
  for (const url of ['/', '/jobs', '/runs/01980000-0000-7000-8000-000000000000', '/jobs/morning.mail?x=1.js']) {
    const { statusCode, body, headers } = await get(url)
    const [, nonce] = /content="([A-Za-z0-9+/=]{24})"/.exec(body)!
    nonces.add(nonce!)
    assert.equal(statusCode, 200, url)
    assert.equal(headers['content-security-policy'], `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'`)
    assert.deepEqual(
      ['cache-control', 'x-content-type-options', 'x-frame-options', 'referrer-policy', 'cross-origin-opener-policy', 'cross-origin-resource-policy'].map((name) => headers[name]),
      ['no-store', 'nosniff', 'DENY', 'no-referrer', 'same-origin', 'same-origin'])
  }
  assert.equal(nonces.size, 4)
})

test('assets carry their hash in their name and are kept; other files are asked for again', async (t) => {
  const get = await servedApp(t)
  const asset = await get('/assets/index-abc.js')
  assert.deepEqual([asset.body, asset.headers['cache-control'], asset.headers['content-type']], ['start()', 'public, max-age=31536000, immutable', 'application/javascript; charset=utf-8'])
  assert.equal(asset.headers['x-content-type-options'], 'nosniff')
  assert.equal((await get('/favicon.svg')).headers['cache-control'], 'no-cache')
})

test('what is not there is missing, and no path leads out of the folder', async (t) => {
  const get = await servedApp(t)
  for (const url of ['/assets/index-old.js', '/secret.txt', '/../secret.txt', '/assets/..%2f..%2fsecret.txt', '/%2e%2e/secret.txt', '/index.html', '/assets/']) {
    const answer = await get(url)
    assert.deepEqual([answer.statusCode, answer.body.includes('not yours')], [404, false], url)
  }
})

test('the other name of this machine leads to the one that sessions are kept under, and nowhere else', async (t) => {
  const get = await servedApp(t)
  for (const [url, target] of [['/jobs', `${origin}/jobs`], ['//evil.example/x', `${origin}/evil.example/x`], ['/jobs?next=1', `${origin}/jobs`]] as const) {
    const answer = await get(url, { host: 'localhost:7400' })
    assert.deepEqual([answer.statusCode, answer.headers.location], [307, target], url)
  }
})
