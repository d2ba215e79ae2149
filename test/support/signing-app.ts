import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Agent, request } from 'undici'
import { digestOf } from '../../src/kernel/exposure.ts'
import { listenOnLocalhost } from '../../src/kernel/listen-on-localhost.ts'
import { change } from '../../src/outbox/change.ts'
import type { Site } from '../../src/outbox/keys/assertion.ts'
import { pageRoutes } from '../../src/outbox/page-routes.ts'
import { releaseDrafts } from '../../src/outbox/release-drafts.ts'
import { bareApp } from '../../src/server/bare-app.ts'
import { createChanges, createEnrolmentCodes, createSigningApp, passkeyOptions, type EnrolmentCodes } from '../../src/signing/index.ts'
import { testOutbox, type TestOutbox, type TestOutboxOptions } from './outbox.ts'

/** What a proxy has to show, once the page is at a name on the mesh. */
export const proxyToken = 'of the proxy'

export interface ServedSigning {
  readonly outbox: TestOutbox
  readonly codes: EnrolmentCodes
  readonly port: number
  readonly site: Site
  /** Something was changed by other hands than those of the page: whoever waits for changes asks again. */
  changed(): void
  /** As a house that was read anew and names another origin. */
  moveTo(site: Site): void
  /** How often something was decided. */
  decisions(): number
  /** Lets the hold pass; how many drafts left. */
  release(): Promise<number>
  /** As the page itself would ask, unless headers say otherwise; not what a browser would let a page set. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, options?: CallOptions): Promise<Answer>
}

export interface CallOptions {
  readonly body?: unknown
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // what an answer holds is looked at field by field
  // eslint-disable-next-line typescript/no-explicit-any
  readonly data: any
  readonly error?: { readonly code: string; readonly message: string; readonly details?: Record<string, unknown> }
  readonly text: string
}

export interface ServedSigningOptions extends TestOutboxOptions {
  /** A folder with the page; one that says nothing, unless it is given. */
  readonly page?: string
}

/** The releaser's page and its API on a port of its own, with drafts on a database of their own. */
export async function servedSigning(t: TestContext, options: ServedSigningOptions = {}): Promise<ServedSigning> {
  let port = 0
  let moved: Site | undefined
  const site = () => moved ?? { origin: `http://localhost:${port}`, rpId: 'localhost' }
  const outbox = await testOutbox(t, options)
  const changes = createChanges(outbox.clock.now())
  const codes = createEnrolmentCodes(outbox.clock)
  const deps = { ...outbox.deps, site, onChanged: changes.bump }
  let decisions = 0
  const app = await createSigningApp(bareApp(deps.log), {
    log: deps.log, clock: outbox.clock, keys: deps.keys, site, codes, changes, exposed: () => ({ token: 'proxy', digests: [digestOf(proxyToken)] }), house: () => 'Test house', page: options.page ?? pageFolder(outbox.folder),
    audit: (kind, subject, detail) => change(deps, 'signing.audit', ({ audit }) => audit(kind, subject, detail)),
    sessionRoutes: (scope) => pageRoutes(scope, {
      ...deps, onChange: () => (decisions += 1), sessionKeyOf: ({ sessionKey }) => sessionKey, passkeyOptions: (challenge) => passkeyOptions(deps.keys, site().rpId, challenge),
    }),
  })
  const listening = await listenOnLocalhost(app, 0, 'ports.releaser')
  port = listening.port
  const dispatcher = new Agent()
  t.after(async () => {
    changes.close()
    await dispatcher.close()
    await Promise.all([listening.close(), app.close()])
  })
  return {
    outbox, codes, port, site: site(), changed: changes.bump, moveTo: (to) => void (moved = to), decisions: () => decisions,
    async release() {
      outbox.clock.advance(outbox.settings.holdMs)
      return (await releaseDrafts(deps)).released
    },
    async call(method, path, { body, token, headers } = {}) {
      const own = { host: `localhost:${port}`, ...(method !== 'GET' && { origin: site().origin }), ...(method === 'POST' && { 'content-type': 'application/json' }), ...(token !== undefined && { authorization: `Bearer ${token}` }) }
      const sent = Object.fromEntries(Object.entries({ ...own, ...headers }).filter(([, value]) => value !== undefined)) as Record<string, string>
      const response = await request(`http://127.0.0.1:${port}${path}`, { dispatcher, method, headers: sent, ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
      const text = await response.body.text()
      const { data, error } = text.startsWith('{') ? JSON.parse(text) : {}
      return { status: response.statusCode, headers: response.headers, data, error, text }
    },
  }
}

function pageFolder(folder: string): string {
  const page = join(folder, 'page')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>Sign</title><script type="module" src="/assets/main-4f2a91c7.js"></script>')
  writeFileSync(join(page, 'assets', 'main-4f2a91c7.js'), 'document.title = "Loaded"\n')
  return page
}
