// What the signing page does, in plain verbs of WebAuthn, WebCrypto and the API; a test puts it into a page of that origin, or of another.
globalThis.castellan = (() => {
  const state = { base: '' }

  async function call(method, path, body, token = state.token) {
    const headers = { ...(body !== undefined && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) }
    const response = await fetch(`${state.base}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    return { status: response.status, ...(await response.json()) }
  }

  const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => Number.parseInt(pair, 16))
  const make = async (options) => (await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).toJSON()
  const touch = async (options) => (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON()
  const sign = async (hex) => base64(await crypto.subtle.sign('Ed25519', state.pair.privateKey, bytes(hex)))

  return {
    call, touch,
    async enrol(code) {
      const { data } = await call('POST', '/api/enrol/options', { code, name: '' })
      return call('POST', '/api/enrol', { code, name: '', response: await make(data.options) })
    },
    async open() {
      state.pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
      const offered = await call('POST', '/api/session/options', { public_key: base64(await crypto.subtle.exportKey('spki', state.pair.publicKey)) })
      const opened = await call('POST', '/api/session', { session: offered.data.session, response: await touch(offered.data.options) })
      Object.assign(state, { token: opened.data?.token, keyId: opened.data?.key_id })
      return opened
    },
    async signByKey(id) {
      const { data } = await call('GET', `/api/drafts/${id}`)
      return call('POST', `/api/drafts/${id}/decide`, { verdict: 'approve', challenge: data.challenge, key_id: state.keyId, signature: await sign(data.challenge) })
    },
    async signByPasskey(id, wishes = {}) {
      const { data } = await call('GET', `/api/drafts/${id}`)
      const asked = await call('POST', `/api/drafts/${id}/passkey`, { challenge: data.challenge })
      return call('POST', `/api/drafts/${id}/decide`, { verdict: 'approve', challenge: data.challenge, passkey: await touch({ ...asked.data.options, ...wishes }) })
    },
    exportKey: () => crypto.subtle.exportKey('pkcs8', state.pair.privateKey).then(() => 'exported', (error) => error.name),
    /** What a page of another origin can try, with the token in its hands. */
    async tryFrom(base, id, token) {
      const attempt = (path, init) => fetch(`${base}${path}`, init).then((response) => `${response.type} ${response.status}`, (error) => error.name)
      const authorization = `Bearer ${token}`
      const body = JSON.stringify({ verdict: 'deny' })
      const path = `/api/drafts/${id}/decide`
      const frame = document.createElement('iframe')
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve))
      frame.src = base
      document.body.append(frame)
      await loaded
      const form = document.createElement('form')
      Object.assign(form, { method: 'post', action: `${base}${path}`, enctype: 'text/plain', target: 'nowhere' })
      document.body.append(form)
      form.submit()
      return {
        read: await attempt('/api/drafts', { headers: { authorization } }),
        decide: await attempt(path, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body }),
        simple: await attempt(path, { method: 'POST', mode: 'no-cors', body }),
      }
    },
  }
})()
