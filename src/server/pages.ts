import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import { Fault } from '../kernel/fault.ts'
import { indexPage, pageStyle } from './index-page.ts'
import type { OwnNames } from './signin/own-names.ts'

/** Stands in the built index.html where the nonce of the answer belongs: in a meta tag, and on tags that Vite marks. */
const noncePlace = '__CSP_NONCE__'
const year = 365 * 24 * 3600

/** What a page or a browser asks for as a file; a job may have a dot in its name. */
const fileNames = /^\/assets\/|\.(?:js|css|map|html|json|txt|svg|png|ico|webmanifest|woff2?)$/i

const nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const styleHash = createHash('sha256').update(pageStyle).digest('base64')

/** What may be done with an answer that is no page. */
export const closedPolicy = nothing

/** Scripts and data from our own origin; style sheets too, and style tags with the nonce of this answer. */
function appPolicy(nonce: string): string {
  return `${nothing}; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'`
}

/** The dashboard as it was built into a folder; without one, a page that says what to type. No data: those come from /api. */
export function pageRoutes(folder: string, origin: () => string, names: Pick<OwnNames, 'isOwn'>): FastifyPluginAsync {
  const index = join(folder, 'index.html')
  return existsSync(index) ? appRoutes(folder, readFileSync(index, 'utf8'), origin, names) : plainRoutes
}

function appRoutes(folder: string, html: string, origin: () => string, names: Pick<OwnNames, 'isOwn'>): FastifyPluginAsync {
  return async (app) => {
    await serveFiles(app, folder)
    // every path of the app is the app, which reads it by itself; what looks like a file and is not there is missing
    app.get('/*', async (request, reply) => {
      const path = request.url.split('?')[0]!
      if (fileNames.test(path)) throw new Fault('missing', 'route.missing', `there is no GET ${path}`)
      // one name for one house: a cookie given to another name would not be found here, and would go to the signing page
      if (!names.isOwn(request.headers)) return reply.redirect(`${origin()}${path.replace(/^\/+/, '/')}`, 307)
      return sendApp(reply, html)
    })
  }
}

async function serveFiles(app: FastifyInstance, folder: string): Promise<void> {
  const { default: files } = await import('@fastify/static')
  const assets = join(folder, 'assets') + sep
  await app.register(files, {
    root: folder,
    wildcard: false, // a route for each file that is there now, so that no path leads elsewhere
    globIgnore: ['index.html'],
    cacheControl: false,
    setHeaders: (reply, path) => void reply.header('cache-control', path.startsWith(assets) ? `public, max-age=${year}, immutable` : 'no-cache'),
  })
}

function sendApp(reply: FastifyReply, html: string): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  return reply.header('content-security-policy', appPolicy(nonce)).type('text/html; charset=utf-8').send(html.replaceAll(noncePlace, nonce))
}

const plainRoutes: FastifyPluginAsync = async (app) => {
  app.get('/', async (_request, reply) =>
    reply.header('content-security-policy', `${nothing}; style-src 'sha256-${styleHash}'`).type('text/html; charset=utf-8').send(indexPage()))
}
