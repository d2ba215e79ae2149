import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { digestOf, type Exposure } from '../kernel/exposure.ts'
import type { Fault } from '../kernel/fault.ts'
import { guard } from './guard.ts'

/** The guard alone, at a name on the mesh with a proxy in front. */
function guarded(exposed?: Exposure) {
  const app = fastify()
  app.setErrorHandler((error, _request, reply) => reply.status(403).send({ code: (error as Fault).code }))
  guard(app, () => ({ origin: 'https://castellan.example.ts.net', rpId: 'castellan.example.ts.net' }), () => exposed ?? null)
  app.get('/', async () => ({ code: 'passed' }))
  app.post('/', async () => ({ code: 'passed' }))
  return async (method: 'GET' | 'POST', headers: Record<string, string>) => (await app.inject({ method, url: '/', headers, ...(method === 'POST' && { payload: '{}' }) })).json().code as string
}

const host = 'castellan.example.ts.net'
const json = { 'content-type': 'application/json' }

test('behind a proxy the page has its name on the mesh, and decides for that origin alone', async () => {
  const ask = guarded({ token: 'none', digests: [] })
  assert.equal(await ask('GET', { host }), 'passed')
  assert.equal(await ask('POST', { host, origin: `https://${host}`, ...json }), 'passed')
  for (const wrong of [`${host}:443`, `${host}:7401`, 'example.ts.net', `x.${host}`, 'castellan', `${host}.`]) assert.equal(await ask('GET', { host: wrong }), 'host.unknown', wrong)
  for (const origin of [`http://${host}`, `https://${host}:443`, `https://x.${host}`, 'http://localhost:7401']) assert.equal(await ask('POST', { host, origin, ...json }), 'origin.unknown', origin)
})

test('where nothing is exposed, the name on the mesh answers nobody, whatever it shows', async () => {
  const ask = guarded()
  for (const method of ['GET', 'POST'] as const) assert.equal(await ask(method, { host, origin: `https://${host}`, ...json }), 'expose.absent')
  assert.equal(await ask('GET', { host, 'castellan-service-token': 'right' }), 'expose.absent')
})

test('where it is exposed, the name on the mesh answers to the service token alone', async () => {
  const ask = guarded({ token: 'proxy', digests: [digestOf('right')] })
  const token = { 'castellan-service-token': 'right' }
  assert.equal(await ask('GET', { host }), 'service_token.missing')
  assert.equal(await ask('GET', { host, 'castellan-service-token': 'wrong' }), 'service_token.unknown')
  assert.equal(await ask('GET', { host, ...token }), 'passed')
  assert.equal(await ask('POST', { host, ...token, origin: `https://${host}`, ...json }), 'passed')
  assert.equal(await ask('GET', { host, ...token, 'x-forwarded-host': 'evil.example' }), 'proxy.forged')
})
