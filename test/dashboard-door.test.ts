import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

const oneStep = `
name: hello
summary: Says hello
lane: private
steps:
  - { id: brief, uses: text.template, with: { template: "Hello.", data: {} } }
`

/** The address that the server listens on now, and a code for it. */
async function link(house: RunningHouse): Promise<{ origin: string; code: string }> {
  const { url } = await house.call<{ url: string }>('server', 'POST', '/api/signin/link')
  const { origin, hash } = new URL(url)
  return { origin, code: hash.replace('#signin=', '') }
}

const cookieAt = (origin: string, token: string) => `castellan_session_${new URL(origin).port}=${token}`

test('a browser signs in by a link, runs a job and follows it, and a server that was killed remembers the browser', { timeout: 120_000 }, async (t) => {
  const house = await runningHouse(t, { jobs: { 'hello.yaml': oneStep } })
  const { origin, code } = await link(house)
  const page = await fetch(origin)
  assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8'])
  const html = await page.text()
  const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(html)!
  const asset = await fetch(`${origin}${script}`)
  assert.deepEqual([asset.status, asset.headers.get('cache-control')], [200, 'public, max-age=31536000, immutable'], 'the user of the server can read what was built')
  assert.ok(!html.includes('__CSP_NONCE__'))

  const json = { 'content-type': 'application/json', origin }
  const signedIn = await fetch(`${origin}/api/signin`, { method: 'POST', headers: json, body: JSON.stringify({ code }) })
  const token = /=([\w-]+);/.exec(signedIn.headers.get('set-cookie')!)![1]!
  const { data: session } = (await signedIn.json()) as { data: { csrf: string } }
  const cookie = cookieAt(origin, token)

  const opened = await fetch(`${origin}/api/jobs/hello/run`, { method: 'POST', headers: { ...json, cookie, 'x-csrf-token': session.csrf }, body: '{}' })
  const { data: run } = (await opened.json()) as { data: { id: string } }
  const followed = await text((await fetch(`${origin}/api/runs/${run.id}/events`, { headers: { cookie } })).body!)
  assert.match(followed, /"state":"succeeded"[^\n]*\n\n$/, 'the stream ends with the run')

  const server = house.up.processes.get('server')!
  const ready = (async () => {
    for (;;) if ((await once(server, 'state'))[0].state === 'ready') return
  })()
  process.kill(server.state.pid!, 'SIGKILL')
  await ready
  const again = await link(house)
  const today = await fetch(`${again.origin}/api/today`, { headers: { cookie: cookieAt(again.origin, token) } })
  const { data } = (await today.json()) as { data: { brief: { text: string; run: string } } }
  assert.deepEqual([today.status, data.brief.text, data.brief.run], [200, 'Hello.', run.id])
})
