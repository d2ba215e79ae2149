import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { pino } from 'pino'
import type { ServerDeps } from '../src/server/index.ts'
import { bareApp } from '../src/server/bare-app.ts'
import { apiRoutes } from '../src/server/routes/api.ts'
import { eventRoutes } from '../src/server/routes/events.ts'
import { secretRoutes } from '../src/server/routes/secrets.ts'
import { ownSessionRoutes, signinLinkRoutes, signinRoutes } from '../src/server/routes/sessions.ts'
import type { BrowserGuard } from '../src/server/signin/browser-guard.ts'
import packageJson from '../package.json' with { type: 'json' }

// --write makes docs/openapi.json and the types of the dashboard; --check fails when they are not what the routes say
const root = join(import.meta.dirname, '..')
const document = `${JSON.stringify(await describeRoutes(), null, 2)}\n`
const generated = { 'docs/openapi.json': document, 'web/dashboard/src/api/schema.d.ts': typesOf(document) }

for (const [name, wanted] of Object.entries(generated)) {
  const path = join(root, name)
  if (process.argv.includes('--write')) {
    writeFileSync(path, wanted)
  } else if (readFileSync(path, 'utf8') !== wanted) {
    process.stderr.write(`${name} is not what the routes say; run \`node scripts/openapi.ts --write\`\n`)
    process.exitCode = 1
  }
}

/** The routes as the server registers them; nobody asks them anything here, so what they work with may be empty. */
async function describeRoutes(): Promise<object> {
  const app = bareApp(pino({ level: 'silent' }))
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Castellan',
        version: packageJson.version,
        description: 'What may be asked of a house: over its Unix socket by who may open it, and at http://127.0.0.1:7400 by a browser that is signed in. '
          + 'Everything can be requested and nothing decided: drafts are shown and signed by the releaser alone.',
      },
    },
    hideUntagged: true,
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  const deps = { stopping: new AbortController().signal } as ServerDeps
  const guard = {} as BrowserGuard
  app.register(apiRoutes(deps, 'browser'), { prefix: '/api' })
  app.register(ownSessionRoutes(deps.sessions, guard), { prefix: '/api' })
  app.register(eventRoutes(deps, async () => false), { prefix: '/api' })
  app.register(signinRoutes(deps.sessions, guard), { prefix: '/api' })
  app.register(signinLinkRoutes(deps.sessions), { prefix: '/api' })
  app.register(secretRoutes(deps), { prefix: '/api' })
  await app.ready()
  return tidy(app.swagger() as unknown as Described)
}

interface Described {
  paths: Record<string, Record<string, { responses: Record<string, object> }>>
  components: { schemas: Record<string, object> }
}

/** Errors come in one form everywhere, and a component that nothing refers to is left out. */
function tidy(described: Described): Described {
  for (const operations of Object.values(described.paths)) {
    for (const operation of Object.values(operations)) {
      operation.responses.default = {
        description: 'It was not done; `error.code` is stable, `error.message` is for people.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } },
      }
    }
  }
  const { schemas } = described.components
  for (let unused = unusedOf(described); unused.length > 0; unused = unusedOf(described)) for (const name of unused) delete schemas[name]
  described.components.schemas = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
  return described
}

function unusedOf(described: Described): string[] {
  const text = JSON.stringify(described)
  return Object.keys(described.components.schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`))
}

function typesOf(openapi: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-openapi-'))
  try {
    const [from, to] = [join(folder, 'openapi.json'), join(folder, 'schema.d.ts')]
    writeFileSync(from, openapi)
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'web/node_modules/openapi-typescript/bin/cli.js'), from, '--output', to], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`openapi-typescript: ${stderr}`)
    return readFileSync(to, 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
