import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { test } from 'node:test'
import { checkDirect, checkExposed, digestOf, type Exposure } from './exposure.ts'

const origin = 'https://house.example.ts.net'
const exposure: Exposure = { token: 'device', digests: [digestOf('one'), digestOf('two')] }
const asked = (headers: IncomingHttpHeaders, how: Partial<Exposure> = {}) => {
  try {
    checkExposed(headers, origin, { ...exposure, ...how })
    return 'passed'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('any of the tokens that count will do, and no other', () => {
  for (const token of ['one', 'two']) assert.equal(asked({ 'castellan-service-token': token }), 'passed')
  for (const token of ['three', 'one, two', ' one', digestOf('one')]) assert.equal(asked({ 'castellan-service-token': token }), 'service_token.unknown', token)
  for (const headers of [{}, { 'castellan-service-token': '' }, { 'castellan-service-token': ['one', 'two'] as unknown as string }]) assert.equal(asked(headers), 'service_token.missing')
  assert.equal(asked({ 'castellan-service-token': 'one' }, { digests: [] }), 'service_token.unknown')
  assert.equal(asked({}, { token: 'none' }), 'passed')
})

test('what a proxy says has to be what it would say, token or not', () => {
  const ours = { 'x-forwarded-host': 'house.example.ts.net', 'x-forwarded-proto': 'https', 'x-forwarded-for': '100.64.0.9' }
  assert.equal(asked(ours, { token: 'none' }), 'passed')
  for (const forged of [{ 'x-forwarded-host': 'evil.example' }, { 'x-forwarded-proto': 'http' }, { 'x-forwarded-for': '127.0.0.1, 100.64.0.9' }, { forwarded: 'for=127.0.0.1' }] as IncomingHttpHeaders[]) {
    assert.equal(asked({ ...ours, ...forged }, { token: 'none' }), 'proxy.forged', Object.keys(forged)[0])
    assert.equal(asked({ ...ours, ...forged, 'castellan-service-token': 'one' }), 'proxy.forged')
  }
})

test('under a name of this machine nothing that came through a proxy is answered', () => {
  checkDirect({ host: '127.0.0.1:7400', 'user-agent': 'curl', 'x-requested-with': 'fetch', 'sec-fetch-site': 'same-origin' })
  for (const header of ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip', 'tailscale-user-login', 'castellan-service-token', 'x-forwarded-port', 'x-forwarded-ssl', 'x-original-host', 'true-client-ip', 'tailscale-funnel-request', 'cf-ray', 'x-envoy-external-address']) {
    assert.throws(() => checkDirect({ [header]: 'x' }), { code: 'proxy.unexpected' }, header)
  }
})
