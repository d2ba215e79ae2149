import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { systemClock } from '../kernel/clock.ts'
import { listenOnLocalhost } from '../kernel/listen-on-localhost.ts'
import type { House } from '../house/index.ts'
import { signingSite, type SigningSite } from '../house/index.ts'
import { change, type OutboxDeps } from '../outbox/change.ts'
import { pageRoutes } from '../outbox/page-routes.ts'
import { bareApp } from '../server/bare-app.ts'
import { createChanges, createEnrolmentCodes, createSigningApp, passkeyOptions } from '../signing/index.ts'
import { enrolmentRoutes } from '../signing/routes.ts'

const builtPage = join(import.meta.dirname, '../../web/dist/signing')

/** The page on which drafts are signed: what the outbox has to know of it, and how it is opened once the outbox stands. */
export interface SigningPage {
  site(): SigningSite
  /** Something about the drafts is other than before. */
  onChanged(): void
  /** On the releaser's own socket. */
  socketRoutes(app: FastifyInstance): void
  /** Listens on loopback; returns how it is closed. @throws Fault `port.taken` */
  open(outbox: OutboxDeps, listeners: { onChange(): void; onError(error: unknown): void; onFailedTry(code: string): void }): Promise<() => Promise<void>>
}

export function createSigningPage(house: () => House): SigningPage {
  let { releaser: port } = house().settings.ports
  const site = () => signingSite(house().settings.signing, port)
  const changes = createChanges(systemClock.now())
  const codes = createEnrolmentCodes(systemClock)
  return {
    site,
    onChanged: changes.bump,
    socketRoutes: (app) => enrolmentRoutes(app, { codes, site }),
    async open(outbox, { onChange, onError, onFailedTry }) {
      const bare = bareApp(outbox.log)
      bare.addHook('onError', async (_request, _reply, error) => onError(error))
      const app = await createSigningApp(bare, {
        log: outbox.log, clock: outbox.clock, keys: outbox.keys, site, codes, changes, page: builtPage, onFailedTry, exposed: () => house().settings.exposed,
        house: () => house().settings.name,
        audit: (kind, subject, detail) => change(outbox, 'signing.audit', ({ audit }) => audit(kind, subject, detail)),
        sessionRoutes: (scope) => pageRoutes(scope, {
          ...outbox, onChange,
          sessionKeyOf: ({ sessionKey }) => sessionKey,
          passkeyOptions: (challenge) => passkeyOptions(outbox.keys, site().rpId, challenge),
        }),
      })
      const listening = await listenOnLocalhost(app, port, 'ports.releaser')
      port = listening.port
      return async () => {
        changes.close()
        await Promise.all([listening.close(), app.close()])
      }
    },
  }
}
